// Loads of the engine: what the memories give for a walk's addresses, of the command's source.
//
// A load is asked for with what counts of it: so many channels of some rows, the rest is 0; of pixels
// one digit of each byte. It leaves through a FIFO that has room for all that are on their way. Beats
// of normalized rows follow each other: `asked` comes with the last.
module loads #(
    localparam int TOKENS = vaqf_pkg::TOKENS,
    localparam int PE = vaqf_pkg::PE,
    localparam int ACT_BITS = vaqf_pkg::ACT_BITS,
    localparam int RUN_CHANNELS = vaqf_pkg::RUN_WORDS * PE,
    localparam int DIGIT_BITS = sizes::index_bits(vaqf_pkg::PIXEL_DIGITS),
    localparam int SHOWN_BITS = sizes::bits_for(RUN_CHANNELS),
    localparam int BEAT_BITS = vaqf_pkg::NORM_TOKENS * PE * ACT_BITS
) (
    input logic clk,
    input logic rst,
    // of the command
    input logic is_pixels,
    input logic is_context,
    input logic is_norm,
    // with its addresses
    input logic asked,
    input logic cut_group_end,
    input logic [DIGIT_BITS-1:0] cut_digit,
    input logic [SHOWN_BITS-1:0] cut_shown,  // channels of each row
    input logic [vaqf_pkg::ROWS-1:0] cut_rows,
    // latency::DIAGONAL behind them, normalized rows LAYER_NORM behind that
    input logic [TOKENS*8*PE-1:0] pixels_data,
    input logic [vaqf_pkg::LOAD_BITS-1:0] q_data,
    input logic [vaqf_pkg::LOAD_BITS-1:0] hidden_data,
    input logic [BEAT_BITS-1:0] normalized,
    output logic pixels_release,  // a group of them was read
    output logic loads_valid,
    input logic loads_ready,
    output logic [vaqf_pkg::LOAD_BITS-1:0] loads_data
);
  localparam int DEPTH = sizes::LOADS;
  localparam int LOAD_BITS = vaqf_pkg::LOAD_BITS;
  localparam int ROWS = vaqf_pkg::ROWS;

  // -- what counts, until the load is there ------------------------------------------------------

  localparam int CUT_BITS = 1 + DIGIT_BITS + SHOWN_BITS + ROWS;
  typedef struct packed {
    logic group_end;
    logic [DIGIT_BITS-1:0] digit;
    logic [SHOWN_BITS-1:0] shown;
    logic [ROWS-1:0] rows;
  } cut_t;
  cut_t cut, found_cut;
  logic cut_ready, cut_valid, found;
  assign cut = {cut_group_end, cut_digit, cut_shown, cut_rows};
  fifo #(
      .WIDTH(CUT_BITS),
      .DEPTH(DEPTH)
  ) u_cuts (
      .clk,
      .rst,
      .in_valid (asked),
      .in_ready (cut_ready),
      .in_data  (cut),
      .out_valid(cut_valid),
      .out_ready(found),
      .out_data (found_cut)
  );

  // -- the load, of its source -------------------------------------------------------------------

  logic [LOAD_BITS-1:0] digits, load, entering;
  byte_digits u_digits (
      .bytes(pixels_data),
      .digit(found_cut.digit),
      .digits
  );
  if (BEAT_BITS == LOAD_BITS) begin : g_one_beat
    assign entering = normalized;
  end else begin : g_beats
    // the last one pushes all others into their places
    assign entering = {normalized, load[LOAD_BITS-1:BEAT_BITS]};
  end
  for (genvar t = 0; t < TOKENS; ++t) begin : g_source
    localparam int BITS = PE * ACT_BITS;
    // of the command, for a token's bits: one for all of them would have as many loads
    (* keep = "true" *) logic from_pixels, from_context, from_norm;
    always_ff @(posedge clk) begin
      from_pixels  <= is_pixels;
      from_context <= is_context;
      from_norm    <= is_norm;
      if (from_norm) load[t*BITS+:BITS] <= entering[t*BITS+:BITS];
      else if (from_pixels) load[t*BITS+:BITS] <= digits[t*BITS+:BITS];
      else if (from_context) load[t*BITS+:BITS] <= q_data[t*BITS+:BITS];
      else load[t*BITS+:BITS] <= hidden_data[t*BITS+:BITS];
    end
  end

  logic [latency::DIAGONAL:0] on_way;  // whole loads, from the addresses on
  logic [latency::LAYER_NORM-1:0] in_norm;
  logic full;
  logic [TOKENS*PE-1:0] shown;
  assign found = in_norm[latency::LAYER_NORM-1] || (on_way[latency::DIAGONAL] && !is_norm);
  always_ff @(posedge clk) begin
    on_way <= rst ? '0 : {on_way[latency::DIAGONAL-1:0], asked};
    in_norm <= rst ? '0 : {in_norm[latency::LAYER_NORM-2:0], on_way[latency::DIAGONAL] && is_norm};
    full <= found && !rst;
    pixels_release <= found && is_pixels && found_cut.group_end && !rst;
    for (int i = 0; i < TOKENS * PE; ++i) begin
      shown[i] <= found_cut.rows[i/RUN_CHANNELS] && SHOWN_BITS'(i % RUN_CHANNELS) < found_cut.shown;
    end
`ifndef SYNTHESIS
    if (!rst) assert (cut_ready && cut_valid || !found);
`endif
  end

  // -- to the engine -----------------------------------------------------------------------------

  logic [LOAD_BITS-1:0] kept;
  for (genvar i = 0; i < TOKENS * PE; ++i) begin : g_kept
    assign kept[i*ACT_BITS+:ACT_BITS] = shown[i] ? load[i*ACT_BITS+:ACT_BITS] : '0;
  end
  logic load_ready;
  fifo #(
      .WIDTH(LOAD_BITS),
      .DEPTH(DEPTH)
  ) u_fifo (
      .clk,
      .rst,
      .in_valid (full),
      .in_ready (load_ready),
      .in_data  (kept),
      .out_valid(loads_valid),
      .out_ready(loads_ready),
      .out_data (loads_data)
  );
`ifndef SYNTHESIS
  always_ff @(posedge clk) if (!rst) assert (load_ready || !full);
`endif
endmodule
