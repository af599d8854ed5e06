// All 16 subset sums of four operands, one per cycle: of every nibble of one receiver's operands.
//
// A step adds the selected operand, or nothing, to a base that starts at zero: `entries` has the
// sum, and `keep` makes it the new base, `clear` zero. Controls of a step come together and have
// registers of their own here; its entries are there three cycles later. Only one operand is other
// than zero when they meet the adder, so a bit of it is one LUT and needs no multiplexer: flip-flops
// that reset choose.
module table_generator #(
    parameter int NIBBLES = 16,
    localparam int ACT_BITS = vaqf_pkg::ACT_BITS,
    localparam int ENTRY_BITS = ACT_BITS + 2
) (
    input  logic                          clk,
    input  logic                          take,      // the operands, as operands.sv says
    input  logic [4*NIBBLES*ACT_BITS-1:0] operands,
    input  logic [                   3:0] select,
    input  logic                          keep,
    input  logic                          clear,
    output logic [NIBBLES*ENTRY_BITS-1:0] entries
);
  (* keep = "true" *) logic take_q, keep_q, keep_qq, clear_q, clear_qq;
  (* keep = "true" *) logic [3:0] omit;
  always_ff @(posedge clk) begin
    take_q   <= take;
    omit     <= ~select;
    keep_q   <= keep;
    keep_qq  <= keep_q;
    clear_q  <= clear;
    clear_qq <= clear_q;
  end

  for (genvar n = 0; n < NIBBLES; ++n) begin : g_nibble
    logic [4*ACT_BITS-1:0] current, chosen;
    logic [ACT_BITS-1:0] operand;
    logic [ENTRY_BITS-1:0] base, sum, entry;
    assign operand = chosen[0*ACT_BITS+:ACT_BITS] | chosen[1*ACT_BITS+:ACT_BITS] |
        chosen[2*ACT_BITS+:ACT_BITS] | chosen[3*ACT_BITS+:ACT_BITS];
    assign sum = base + ENTRY_BITS'(operand);
    assign entries[n*ENTRY_BITS+:ENTRY_BITS] = entry;

    always_ff @(posedge clk) begin
      if (take_q) current <= operands[4*n*ACT_BITS+:4*ACT_BITS];
      for (int i = 0; i < 4; ++i) begin
        if (omit[i]) chosen[i*ACT_BITS+:ACT_BITS] <= '0;
        else chosen[i*ACT_BITS+:ACT_BITS] <= current[i*ACT_BITS+:ACT_BITS];
      end
      entry <= sum;
      if (clear_qq) base <= '0;
      else if (keep_qq) base <= sum;
    end
  end
endmodule
