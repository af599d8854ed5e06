// exp2(-(delta * mult >> shift)) of a score below its row's maximum, in units of 1 / EXP_MAX.
//
// The whole part of the power is a shift, its fraction the index of a table; the row's maximum
// (delta = 0) gives full scale. mult and shift belong to the command. mult has no sign, so it is one
// bit too wide for a DSP's port: what its lowest bit adds is added there, but for that of the sum.
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

  // 2**-(i / ENTRIES) times full scale, twice
  logic [EXP_BITS+1:0] rom[ENTRIES];
  initial begin
    for (int i = 0; i < ENTRIES; ++i) begin
      rom[i] = (EXP_BITS + 2)'((FULL_BITS'(vaqf_pkg::EXP2[i*ENTRY_BITS+:ENTRY_BITS]) *
                                FULL_BITS'(2 ** EXP_BITS - 1)) >> (VALUE_BITS - 1));
    end
  end

  localparam int HIGH_BITS = vaqf_pkg::SCORE_MULT_BITS - 1;
  logic [SCORE_BITS-1:0] lowest;  // times the lowest bit
  logic signed [47:0] half;  // of the product, rounded down
  logic odd;
  assign lowest = mult[0] ? delta : '0;
  multiply_add #(
      .A_BITS  (SCORE_BITS + 1),
      .B_BITS  (HIGH_BITS + 1),
      .OPERANDS(1'b0)
  ) u_half (
      .clk,
      .a  ({1'b0, delta}),
      .b  ({1'b0, mult[HIGH_BITS:1]}),
      .c  (48'(lowest >> 1)),
      .sum(half)
  );
  delay #(
      .WIDTH (1),
      .CYCLES(2)
  ) u_odd (
      .clk,
      .in (lowest[0]),
      .out(odd)
  );

  logic [PRODUCT_BITS-1:0] product, step;
  logic [EXP_BITS+1:0] full, doubled;  // with one place behind the point, which rounds
  logic [WHOLE_BITS-1:0] whole;
  logic [$clog2(EXP_BITS+1)-1:0] drop;
  logic vanishes;
  assign product = {half[PRODUCT_BITS-2:0], odd};
  assign whole   = step[PRODUCT_BITS-1:FRACTION_BITS];
  assign doubled = full >> drop;

  always_ff @(posedge clk) begin
    step     <= product >> shift;
    full     <= rom[step[FRACTION_BITS-1:0]];
    drop     <= whole[$clog2(EXP_BITS+1)-1:0];
    vanishes <= whole > WHOLE_BITS'(EXP_BITS);
    result   <= vanishes ? '0 : EXP_BITS'((doubled + 1'b1) >> 1);
  end

  logic unused;  // the product is no wider
  assign unused = &{1'b0, half};
endmodule
