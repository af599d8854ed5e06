// A number over a constant, two bits a cycle: for what is divided once in a while.
//
// `load` takes the dividend; after CYCLES cycles with `step` quotient and remainder stand.
module divide_by #(
    parameter int BY = 3,
    parameter int BITS = 16,
    parameter int CYCLES = (BITS + 1) / 2
) (
    input  logic                             clk,
    input  logic                             load,
    input  logic                             step,
    input  logic [                 BITS-1:0] dividend,
    output logic [                 BITS-1:0] quotient,
    output logic [sizes::index_bits(BY)-1:0] remainder
);
  localparam int REST_BITS = sizes::index_bits(BY);
  localparam int TAIL_BITS = 2 * CYCLES;

  // the dividend leaves at the top, the quotient enters below
  logic [TAIL_BITS-1:0] tail;
  logic [REST_BITS-1:0] rest_after_one, rest_after_two;
  logic [REST_BITS:0] one, two;
  logic fits_one, fits_two;
  assign one = {remainder, tail[TAIL_BITS-1]};
  assign fits_one = one >= (REST_BITS + 1)'(BY);
  assign rest_after_one = REST_BITS'(one - (fits_one ? (REST_BITS + 1)'(BY) : '0));
  assign two = {rest_after_one, tail[TAIL_BITS-2]};
  assign fits_two = two >= (REST_BITS + 1)'(BY);
  assign rest_after_two = REST_BITS'(two - (fits_two ? (REST_BITS + 1)'(BY) : '0));
  assign quotient = tail[BITS-1:0];

  always_ff @(posedge clk) begin
    if (load) begin
      tail <= TAIL_BITS'(dividend);
      remainder <= '0;
    end else if (step) begin
      tail <= {tail[TAIL_BITS-3:0], fits_one, fits_two};
      remainder <= rest_after_two;
    end
  end
endmodule
