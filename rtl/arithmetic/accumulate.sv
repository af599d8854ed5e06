// DEPTH vectors of sums that are added to in turns, in every cycle: `first` begins a sum anew.
//
// What comes out is the sum with the addend of the cycle before.
module accumulate #(
    parameter int LANES = 8,
    parameter int IN_BITS = 20,
    parameter int BITS = 24,
    parameter int DEPTH = 4
) (
    input  logic                     clk,
    input  logic                     first,
    input  logic [LANES*IN_BITS-1:0] addend,
    output logic [   LANES*BITS-1:0] sum
);
  logic [LANES*BITS-1:0] before_it;  // its turn before this one
  delay #(
      .WIDTH (LANES * BITS),
      .CYCLES(DEPTH - 1)
  ) u_turns (
      .clk,
      .in (sum),
      .out(before_it)
  );
  for (genvar i = 0; i < LANES; ++i) begin : g_lane
    logic signed [IN_BITS-1:0] x;
    assign x = addend[i*IN_BITS+:IN_BITS];
    always_ff @(posedge clk) begin
      sum[i*BITS+:BITS] <= BITS'(x) + (first ? '0 : before_it[i*BITS+:BITS]);
    end
    logic unused;  // bits that the sums do not have
    assign unused = &{1'b0, x};
  end
endmodule
