// The bytes of a serial line: a start bit, 8 bits from the lowest on, a stop bit, CYCLES clocks each.
//
// `valid` is a pulse, half a bit before the stop bit ends. `broken`, a pulse too: the line is still
// low where the stop bit should be. Then nothing is received until it has been high.
module uart_receive #(
    parameter int CYCLES = 50  // of a bit, 4 or more
) (
    input  logic       clk,
    input  logic       rst,
    input  logic       line,   // of another clock
    output logic       valid,
    output logic [7:0] data,
    output logic       broken
);
  localparam int WAIT_BITS = $clog2(CYCLES);
  localparam int BITS = 10;  // of a byte on the line

  logic [2:0] seen;  // the line, the newest lowest: two registers against metastability, one behind
  logic level, busy, samples;
  logic [WAIT_BITS-1:0] rest;  // cycles before the next sample
  logic [$clog2(BITS)-1:0] place;  // of the next sample: 0 the start bit
  assign level   = seen[1];
  assign samples = busy && rest == '0;

  always_ff @(posedge clk) begin
    seen <= {seen[1:0], line};
    if (samples && place != '0) data <= place == 4'(BITS - 1) ? data : {level, data[7:1]};
    if (!busy) rest <= WAIT_BITS'(CYCLES / 2 - 1);
    else rest <= samples ? WAIT_BITS'(CYCLES - 1) : rest - 1'b1;
    if (!busy) place <= '0;
    else if (samples) place <= place + 1'b1;
    valid  <= !rst && samples && place == 4'(BITS - 1) && level;
    broken <= !rst && samples && place == 4'(BITS - 1) && !level;
    if (rst) busy <= 1'b0;
    else if (!busy) busy <= seen[2] && !level;
    // a start bit that is over at its middle was none
    else if (samples && (place == 4'(BITS - 1) || (place == '0 && level))) busy <= 1'b0;
`ifndef SYNTHESIS
    if (!rst) assert (!busy || place < 4'(BITS));
`endif
  end
endmodule
