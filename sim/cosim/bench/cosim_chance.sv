// 32 random bits a cycle, from the seed +stalls and the name of who uses them.
module cosim_chance #(
    parameter string NAME = ""
) (
    input  logic        clk,
    output logic [31:0] chance
);
  int seed;
  initial begin
    if (!$value$plusargs("stalls=%d", seed)) seed = 0;
    for (int i = 0; i < NAME.len(); ++i) seed = seed * 31 + int'(NAME[i]);
    chance = seed == 0 ? 32'd1 : seed;
  end

  // Marsaglia's xorshift32; never 0
  logic [31:0] first, second;
  assign first  = chance ^ chance << 13;
  assign second = first ^ first >> 17;
  always_ff @(posedge clk) chance <= second ^ second << 5;
endmodule
