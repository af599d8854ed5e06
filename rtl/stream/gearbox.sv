// Words of IN bytes become words of OUT bytes, row by row: what of a row does not fill a word leaves
// as one padded with anything, and the next row starts a word of its own.
//
// One input word per cycle where OUT >= IN, one output word per cycle else; but behind a row that
// ends inside a word the input waits for the padding, less than OUT / IN cycles.
module gearbox #(
    parameter int IN  = 16,
    parameter int OUT = 24
) (
    input  logic             clk,
    input  logic             rst,
    input  logic             in_valid,
    output logic             in_ready,
    input  logic [ 8*IN-1:0] in_data,
    input  logic             in_last,
    output logic             out_valid,
    input  logic             out_ready,
    output logic [8*OUT-1:0] out_data,
    output logic             out_last
);
  function automatic int common(input int a, input int b);  // greatest divisor
    common = 1;
    for (int i = 2; i <= a; ++i) if (a % i == 0 && b % i == 0) common = i;
  endfunction

  // all positions are multiples of a unit
  localparam int UNIT = common(IN, OUT);
  localparam int TAKEN = IN / UNIT;
  localparam int GIVEN = OUT / UNIT;
  localparam int UNITS = TAKEN + GIVEN - 1;  // of the window on the row
  localparam int COUNT_BITS = sizes::bits_for(UNITS);

  // The window moves by a whole input word, so that an output word begins at one of its first TAKEN
  // units only. It may move as soon as none of these is wanted any more.
  logic [8*UNIT*UNITS-1:0] window;
  logic [COUNT_BITS-1:0] gone, gone_next, gone_then;  // units in front of the next output word
  logic ending, ending_next, ending_then;  // the row's last input word is in the window
  logic padded, padded_then;  // and padding behind it
  logic last_then;  // the next output word is the row's last
  logic frees;  // so that the window may move when the next output word is taken
  logic movable, move, pad;

  always_comb begin
    gone_next   = gone;
    ending_next = ending;
    if (out_valid && out_ready) begin
      gone_next = out_last ? COUNT_BITS'(UNITS) : gone + COUNT_BITS'(GIVEN);
      if (out_last) ending_next = 1'b0;
    end
  end
  assign movable = !out_valid || (out_ready && frees);
  assign in_ready = movable && !ending_next;
  assign pad = movable && ending_next;
  assign move = pad || (in_valid && in_ready);
  assign gone_then = move ? gone_next - COUNT_BITS'(TAKEN) : gone_next;
  assign ending_then = ending_next || (in_valid && in_ready && in_last);
  assign padded_then = ending_next && (padded || pad);
  assign last_then = ending_then && (padded_then || gone_then == COUNT_BITS'(TAKEN - 1));

  if (TAKEN == 1) begin : g_in_place
    assign out_data = window;
  end else begin : g_choose
    localparam int PLACE_BITS = $clog2(TAKEN);
    assign out_data = window[8*UNIT*gone[PLACE_BITS-1:0]+:8*OUT];
  end

  always_ff @(posedge clk) begin
    if (move) window <= (8 * UNIT * UNITS)'({in_data, window} >> 8 * IN);
    // in registers: both sides' handshakes wait for them
    out_valid <= !rst && gone_then < COUNT_BITS'(TAKEN);
    out_last  <= !rst && last_then;
    frees     <= rst || last_then || gone_then + COUNT_BITS'(GIVEN) >= COUNT_BITS'(TAKEN);
    if (rst) begin
      gone   <= COUNT_BITS'(UNITS);
      ending <= 1'b0;
      padded <= 1'b0;
    end else begin
      gone   <= gone_then;
      ending <= ending_then;
      padded <= padded_then;
    end
  end
endmodule
