// A digit of ACT_BITS of every byte of pixels: what a matmul with bit planes takes in one of its passes.
module byte_digits #(
    localparam int BYTES = vaqf_pkg::TILE,
    localparam int ACT_BITS = vaqf_pkg::ACT_BITS,
    localparam int DIGIT_BITS = sizes::index_bits(vaqf_pkg::PIXEL_DIGITS)
) (
    input  logic [       8*BYTES-1:0] bytes,
    input  logic [    DIGIT_BITS-1:0] digit,  // the lowest is 0
    output logic [ACT_BITS*BYTES-1:0] digits
);
  localparam int BYTE_BITS = vaqf_pkg::PIXEL_DIGITS * ACT_BITS;  // 8 or more
  for (genvar i = 0; i < BYTES; ++i) begin : g_byte
    logic [BYTE_BITS-1:0] value;
    assign value = BYTE_BITS'(bytes[8*i+:8]);
    always_comb begin
      digits[i*ACT_BITS+:ACT_BITS] = value[ACT_BITS-1:0];
      for (int d = 1; d < vaqf_pkg::PIXEL_DIGITS; ++d)
      if (digit == DIGIT_BITS'(d)) digits[i*ACT_BITS+:ACT_BITS] = value[d*ACT_BITS+:ACT_BITS];
    end
  end
endmodule
