// The sum of one token's activations that one output's weights select, by masks and adders.
//
// A cycle from operands and mask to sums of pairs, then latency::add_tree of them.
module masked_column (
    input  logic                                         clk,
    input  logic [vaqf_pkg::SIMD*vaqf_pkg::ACT_BITS-1:0] operands,
    input  logic [                   vaqf_pkg::SIMD-1:0] mask,
    output logic [         vaqf_pkg::SLICE_SUM_BITS-1:0] result
);
  localparam int ACT_BITS = vaqf_pkg::ACT_BITS;
  localparam int PAIRS = vaqf_pkg::SIMD / 2;
  localparam int PAIR_BITS = ACT_BITS + 1;
  localparam int SUM_BITS = sizes::bits_for(PAIRS * (2 ** PAIR_BITS - 1));

  // masks of two operands fit into their adder's LUTs, masks of three would not
  logic [PAIRS*PAIR_BITS-1:0] pairs;
  for (genvar i = 0; i < PAIRS; ++i) begin : g_pair
    always_ff @(posedge clk) begin
      pairs[i*PAIR_BITS+:PAIR_BITS] <=
          PAIR_BITS'(operands[2*i*ACT_BITS+:ACT_BITS] & {ACT_BITS{mask[2*i]}}) +
          PAIR_BITS'(operands[(2*i+1)*ACT_BITS+:ACT_BITS] & {ACT_BITS{mask[2*i+1]}});
    end
  end
  logic [SUM_BITS-1:0] sum;
  add_tree #(
      .COUNT(PAIRS),
      .WIDTH(PAIR_BITS)
  ) u_tree (
      .clk,
      .numbers(pairs),
      .sum
  );
  assign result = vaqf_pkg::SLICE_SUM_BITS'(sum);
endmodule
