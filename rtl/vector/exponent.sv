// exp2(-(delta * mult >> shift)) of a score below its row's maximum, in units of 1 / EXP_MAX.
//
// The whole part of the power is a shift, its fraction the index of a table; the row's maximum
// (delta = 0) gives full scale. mult and shift belong to the command.
module exponent #(
    parameter int SCORE_BITS = vaqf_pkg::SCORE_BITS,
    parameter int EXP_BITS   = vaqf_pkg::EXP_BITS
) (
    input  logic                                 clk,
    input  logic [               SCORE_BITS-1:0] delta,
    input  logic [vaqf_pkg::SCORE_MULT_BITS-1:0] mult,
    input  logic [                          5:0] shift,
    output logic [                 EXP_BITS-1:0] result
);
  localparam int FRACTION_BITS = vaqf_pkg::EXP2_FRACTION_BITS;
  localparam int VALUE_BITS = vaqf_pkg::EXP2_VALUE_BITS;
  localparam int ENTRY_BITS = vaqf_pkg::ENTRY_BITS;
  localparam int ENTRIES = 2 ** FRACTION_BITS;
  localparam int PRODUCT_BITS = SCORE_BITS + vaqf_pkg::SCORE_MULT_BITS;
  localparam int FULL_BITS = VALUE_BITS + 1 + EXP_BITS;
  localparam int WHOLE_BITS = PRODUCT_BITS - FRACTION_BITS;

  // 2**-(i / ENTRIES) times full scale
  logic [FULL_BITS-1:0] rom[ENTRIES];
  initial begin
    for (int i = 0; i < ENTRIES; ++i)
    rom[i] = FULL_BITS'(vaqf_pkg::EXP2[i*ENTRY_BITS+:ENTRY_BITS]) * FULL_BITS'(2 ** EXP_BITS - 1);
  end

  logic [PRODUCT_BITS-1:0] product, step;
  logic [FULL_BITS-1:0] full, rounded;
  logic [WHOLE_BITS-1:0] whole;
  logic [$clog2(EXP_BITS+1)-1:0] drop;
  logic vanishes;
  logic [5:0] places;  // behind the point
  assign places  = 6'(VALUE_BITS) + 6'(drop);
  assign whole   = step[PRODUCT_BITS-1:FRACTION_BITS];
  // plus half of what the shift drops
  assign rounded = full + (FULL_BITS'(1) << (places - 6'd1));

  always_ff @(posedge clk) begin
    product  <= delta * mult;
    step     <= product >> shift;
    full     <= rom[step[FRACTION_BITS-1:0]];
    drop     <= whole[$clog2(EXP_BITS+1)-1:0];
    vanishes <= whole > WHOLE_BITS'(EXP_BITS);
    result   <= vanishes ? '0 : EXP_BITS'(rounded >> places);
  end
endmodule
