// A number over a constant, by a product with its reciprocal: two cycles, a number in each.
//
// The reciprocal is rounded up; its error, times any number of BITS, stays below 2**-SHIFT / BY, so
// that no quotient is too large. A power of two costs nothing but the cycles.
module divided #(
    parameter int BY   = 3,
    parameter int BITS = 12
) (
    input  logic            clk,
    input  logic [BITS-1:0] number,
    output logic [BITS-1:0] quotient
);
  localparam int SHIFT = BITS + sizes::index_bits(BY);
  localparam int RECIPROCAL = int'((64'd1 << SHIFT) / 64'(BY) + 64'd1);
  localparam int HALF = (BITS + 1) / 2;  // bits of the reciprocal that are multiplied by at once
  localparam int LOW = RECIPROCAL % (1 << HALF);
  localparam int HIGH = RECIPROCAL >> HALF;
  localparam int WIDE = SHIFT + BITS + 1;

  if (BY == 1) begin : g_itself
    logic [BITS-1:0] kept;
    always_ff @(posedge clk) {quotient, kept} <= {kept, number};
  end else begin : g_product
    logic [WIDE-1:0] low, high, sum;
    assign sum = low + (high << HALF);
    always_ff @(posedge clk) begin
      low <= WIDE'(sizes::times(32'(number), LOW));
      high <= WIDE'(sizes::times(32'(number), HIGH));
      quotient <= BITS'(sum >> SHIFT);
    end
    logic unused;
    assign unused = &{1'b0, sum};
  end
endmodule
