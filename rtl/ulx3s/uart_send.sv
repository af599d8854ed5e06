// Bytes onto a serial line: a start bit, 8 bits from the lowest on, a stop bit, CYCLES clocks each.
module uart_send #(
    parameter int CYCLES = 50  // of a bit
) (
    input  logic       clk,
    input  logic       rst,
    input  logic       valid,
    output logic       ready,
    input  logic [7:0] data,
    output logic       line
);
  localparam int WAIT_BITS = $clog2(CYCLES);
  localparam int BITS = 10;  // of a byte on the line

  logic [BITS-1:0] left;  // bits from the one on the line to the stop bit, then ones
  logic [WAIT_BITS-1:0] rest;  // cycles of this bit
  logic [$clog2(BITS+1)-1:0] bits;  // to come, with the one on the line
  assign ready = bits == '0;

  always_ff @(posedge clk) begin
    line <= rst || left[0];
    if (rst) begin
      left <= '1;
      bits <= '0;
      rest <= '0;
    end else if (ready) begin
      if (valid) begin
        left <= {1'b1, data, 1'b0};
        bits <= 4'(BITS);
      end
      rest <= WAIT_BITS'(CYCLES - 1);
    end else if (rest == '0) begin
      left <= {1'b1, left[BITS-1:1]};
      bits <= bits - 1'b1;
      rest <= WAIT_BITS'(CYCLES - 1);
    end else begin
      rest <= rest - 1'b1;
    end
`ifndef SYNTHESIS
    if (!rst && ready) assert (left == '1);  // the line rests high
`endif
  end
endmodule
