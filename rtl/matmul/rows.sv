// Where the engine's inputs come from: the loads of one command, in the order of docs/rtl.md.
//
// A walk through that order asks the memory that `command` names, and only for a load that the FIFO
// at the end has room for, so nothing between them ever waits. The memories of T banks are asked
// alike. A load of normalized rows takes several beats, NORM_TOKENS elements each. Everything
// beyond the command's tokens, words and channels, and prefix tokens' pixels, is 0.
module rows (
    input logic clk,
    input logic rst,
    input logic start,
    input vaqf_pkg::command_t command,
    // residual stream, its sums, records of the layer norm in words of NORM_WORDS
    output logic [sizes::index_bits(vaqf_pkg::TOKENS)-1:0] residual_first,
    output logic [vaqf_pkg::NORM_TOKENS*sizes::index_bits(
vaqf_pkg::RESIDUAL_DEPTH
)-1:0] residual_address,
    input logic [vaqf_pkg::NORM_TOKENS*vaqf_pkg::RESIDUAL_WORD-1:0] residual_data,
    output logic [sizes::index_bits(vaqf_pkg::GROUPS)-1:0] sums_address,
    input logic [vaqf_pkg::TOKENS*vaqf_pkg::SUMS_BITS-1:0] sums_data,
    output logic [sizes::index_bits(vaqf_pkg::NORM_RECORD_DEPTH)-1:0] norm_record_address,
    input logic [vaqf_pkg::NORM_WORDS*vaqf_pkg::PE*vaqf_pkg::RECORD_BITS-1:0] norm_record_data,
    // hidden activations
    output logic [sizes::index_bits(vaqf_pkg::TOKENS)-1:0] hidden_first,
    output logic [vaqf_pkg::TOKENS*sizes::index_bits(vaqf_pkg::HIDDEN_DEPTH)-1:0] hidden_address,
    input logic [vaqf_pkg::LOAD_BITS-1:0] hidden_data,
    // context, which lies in q
    output logic [sizes::index_bits(vaqf_pkg::BANKS)-1:0] q_first,
    output logic [vaqf_pkg::TOKENS*sizes::index_bits(vaqf_pkg::ATTENTION_DEPTH)-1:0] q_address,
    input logic [vaqf_pkg::LOAD_BITS-1:0] q_data,
    // pixels, whose groups come and go
    input logic pixels_stored,
    output logic pixels_release,
    output logic [sizes::index_bits(vaqf_pkg::TOKENS)-1:0] pixels_first,
    output logic [vaqf_pkg::TOKENS*sizes::index_bits(2*vaqf_pkg::PIXEL_WORDS)-1:0] pixels_address,
    input logic [vaqf_pkg::TOKENS*8*vaqf_pkg::PE-1:0] pixels_data,
    // to the engine
    output logic loads_valid,
    input logic loads_ready,
    output logic [vaqf_pkg::LOAD_BITS-1:0] loads_data
);
  localparam int TOKENS = vaqf_pkg::TOKENS;
  localparam int PE = vaqf_pkg::PE;
  localparam int ACT_BITS = vaqf_pkg::ACT_BITS;
  localparam int RUN_WORDS = vaqf_pkg::RUN_WORDS;
  localparam int ROWS = vaqf_pkg::ROWS;
  localparam int NORM_WORDS = vaqf_pkg::NORM_WORDS;
  localparam int NORM_ROWS = vaqf_pkg::NORM_TOKENS / NORM_WORDS;
  localparam int WORD_BEATS = RUN_WORDS / NORM_WORDS;
  localparam int ROW_BEATS = ROWS / NORM_ROWS;
  localparam int RUN_CHANNELS = RUN_WORDS * PE;
  localparam int DEPTH = sizes::LOADS;

  localparam int RESIDUAL_BITS = sizes::index_bits(vaqf_pkg::RESIDUAL_DEPTH);
  localparam int HIDDEN_BITS = sizes::index_bits(vaqf_pkg::HIDDEN_DEPTH);
  localparam int Q_BITS = sizes::index_bits(vaqf_pkg::ATTENTION_DEPTH);
  localparam int PIXELS_BITS = sizes::index_bits(2 * vaqf_pkg::PIXEL_WORDS);
  localparam int RECORD_BITS = sizes::index_bits(vaqf_pkg::NORM_RECORD_DEPTH);
  localparam int TOKEN_BITS = sizes::index_bits(TOKENS);
  localparam int ROW_BITS = sizes::index_bits(RUN_WORDS);
  localparam int BANK_BITS = sizes::index_bits(vaqf_pkg::BANKS);
  localparam int BANK_SHIFT = $clog2(vaqf_pkg::BANKS);
  localparam int TURN_BITS = sizes::index_bits(ROWS);
  localparam int RUN_BITS = sizes::index_bits(vaqf_pkg::RUNS);
  localparam int WORD_BEAT_BITS = sizes::index_bits(WORD_BEATS);
  localparam int ROW_BEAT_BITS = sizes::index_bits(ROW_BEATS);
  localparam int DIGIT_BITS = sizes::index_bits(vaqf_pkg::PIXEL_DIGITS);
  localparam int SHOWN_BITS = sizes::bits_for(RUN_CHANNELS);
  localparam int ROOM_BITS = sizes::bits_for(DEPTH);

  // What is counted, by the largest command: tokens; channels of a token and its words, up to the
  // end of the last slice. Addresses wrap: behind the last that is read for a load that counts.
  localparam int COUNT_BITS = sizes::bits_for(vaqf_pkg::MAX_TOKENS);
  localparam int CHANNEL_BITS = sizes::bits_for(vaqf_pkg::TOKEN_WORDS * PE);
  localparam int WORD_BITS = sizes::bits_for(vaqf_pkg::TOKEN_WORDS);
  localparam int ADDRESS_BITS = sizes::most(sizes::most(RESIDUAL_BITS, HIDDEN_BITS), PIXELS_BITS);

  // -- what the command says, two cycles after it ---------------------------------------------

  logic is_pixels, is_prefix, is_norm, is_context;
  logic [1:0] started;
  logic [CHANNEL_BITS-1:0] channels, limit;
  logic [ADDRESS_BITS-1:0] words;
  logic [Q_BITS-1:0] stride, group_stride;
  logic [Q_BITS-1:0] row_stride[ROWS];
  logic [CHANNEL_BITS-1:0] dim_words;
  divided #(
      .BY  (PE),
      .BITS(CHANNEL_BITS)
  ) u_dim_words (
      .clk,
      .number  (CHANNEL_BITS'(command.dim) + CHANNEL_BITS'(PE - 1)),
      .quotient(dim_words)
  );

  always_ff @(posedge clk) begin
    is_pixels <= command.source == 4'(vaqf_pkg::SOURCE_PIXELS);
    is_context <= command.source == 4'(vaqf_pkg::SOURCE_CONTEXT);
    is_prefix <= command.source == 4'(vaqf_pkg::SOURCE_NORM_PREFIX);
    is_norm    <= command.source == 4'(vaqf_pkg::SOURCE_NORM) ||
                  command.source == 4'(vaqf_pkg::SOURCE_NORM_PREFIX);
    started <= rst ? '0 : {started[0], start};
    channels <= CHANNEL_BITS'(sizes::times(32'(command.k_words), PE));
    // channels of a row that count
    if (is_norm) limit <= CHANNEL_BITS'(command.dim);
    else if (is_pixels && CHANNEL_BITS'(command.pixel_bytes) < channels)
      limit <= CHANNEL_BITS'(command.pixel_bytes);
    else limit <= channels;
    // from one group to the next, a few cycles later; joined tokens are in different groups with one
    // bank only
    if (TOKENS == 1 && is_prefix) words <= ADDRESS_BITS'(dim_words);
    else words <= ADDRESS_BITS'(command.k_words);
    stride <= Q_BITS'((32'(command.k_words) + 32'(vaqf_pkg::BANKS - 1)) >> BANK_SHIFT);
    group_stride <= Q_BITS'(sizes::times(32'(stride), TOKENS));
    for (int j = 0; j < ROWS; ++j)
    row_stride[j] <= Q_BITS'(sizes::times(32'(stride), j * RUN_WORDS));
  end

  // -- the walk ---------------------------------------------------------------------------------

  typedef struct packed {
    logic [WORD_BITS-1:0] record;  // the first word's, and so its number in NORM_WORDS
    logic [TURN_BITS-1:0] turn;  // the first word mod TOKENS, in RUN_WORDS
    logic signed [CHANNEL_BITS:0] left;  // channels from here on that count
  } place_t;
  place_t place, slice, next_slice;  // of this load, its slice and the one behind
  logic active, step, load_end, pass_end, group_end;
  logic [WORD_BEAT_BITS-1:0] word_beat;
  logic [ROW_BEAT_BITS-1:0] row_beat;
  logic [RUN_BITS-1:0] run;
  logic [ROW_BITS-1:0] row;
  logic joined;  // second one of two prefix tokens
  logic half;
  logic [COUNT_BITS-1:0] group_token;
  logic [ADDRESS_BITS-1:0] group_word;
  logic [Q_BITS-1:0] group_q;
  logic last_word_beat, last_row_beat, last_run, last_row, token_end;
  logic last_slice, last_digit, last_plane, last_pass, last_group;
  logic [3:0] digit;
  logic one_slice;  // of a token
  assign last_word_beat = !is_norm || word_beat == WORD_BEAT_BITS'(WORD_BEATS - 1);
  assign last_row_beat = !is_norm || row_beat == ROW_BEAT_BITS'(ROW_BEATS - 1);
  assign last_run = run == RUN_BITS'(vaqf_pkg::RUNS - 1);
  assign last_row = row == ROW_BITS'(RUN_WORDS - 1);
  assign group_end = pass_end && last_pass;

  // a step ahead, as much hangs on the ends of loads and passes: where the counters go from here
  logic [WORD_BEAT_BITS-1:0] word_beat_then;
  logic [ROW_BEAT_BITS-1:0] row_beat_then;
  logic [RUN_BITS-1:0] run_then;
  logic [ROW_BITS-1:0] row_then;
  logic load_end_then;
  localparam bit ONE_BEAT = WORD_BEATS * ROW_BEATS == 1;
  localparam bit ONE_LOAD = vaqf_pkg::RUNS == 1 && RUN_WORDS == 1;  // of a pass
  always_comb begin
    word_beat_then = last_word_beat ? '0 : word_beat + 1'b1;
    row_beat_then  = row_beat;
    if (last_word_beat) row_beat_then = last_row_beat ? '0 : row_beat + 1'b1;
    run_then = run;
    if (load_end) run_then = last_run ? '0 : run + 1'b1;
    row_then = row;
    if (load_end && last_run) begin
      // SHARE apart, then from the next one on
      if (last_row) row_then = '0;
      else if (int'(row) + vaqf_pkg::SHARE < RUN_WORDS) row_then = row + ROW_BITS'(vaqf_pkg::SHARE);
      else row_then = row - ROW_BITS'(RUN_WORDS - vaqf_pkg::SHARE - 1);
    end
    load_end_then = !is_norm || (word_beat_then == WORD_BEAT_BITS'(WORD_BEATS - 1) &&
                                 row_beat_then == ROW_BEAT_BITS'(ROW_BEATS - 1));
  end

  logic [3:0] plane;
  logic first_slice, first_digit, first_plane;
  passes u_passes (
      .clk,
      .start,
      .command,
      .next(step && pass_end),
      .plane,
      .digit,
      .first_slice,
      .last_slice,
      .first_digit,
      .last_digit,
      .first_plane,
      .last_plane,
      .last_pass,
      .last_group
  );

  localparam int SLICE_TURN = vaqf_pkg::RUNS % ROWS;
  always_comb begin
    next_slice.record = slice.record + WORD_BITS'(vaqf_pkg::RUNS * WORD_BEATS);
    next_slice.turn = int'(slice.turn) + SLICE_TURN < ROWS ? slice.turn + TURN_BITS'(SLICE_TURN) :
                      slice.turn - TURN_BITS'(ROWS - SLICE_TURN);
    next_slice.left = slice.left - (CHANNEL_BITS + 1)'(vaqf_pkg::SIMD);
    if (token_end) next_slice = {WORD_BITS'(0), TURN_BITS'(0), 1'b0, limit};
  end

  // what it waits for: room at the end, rows' numbers, pixels
  logic [ROOM_BITS-1:0] room;
  logic [1:0] filled, filled_then, stored, stored_then;  // then: if no step ends a group
  logic joined_then;  // if there is a step
  logic open, crowded, sent, taken;
  assign stored_then = stored + 2'(pixels_stored);
  assign joined_then = pass_end && token_end ? !last_slice : joined;
  assign step = active && !crowded && open;
  assign sent = step && load_end;

  always_ff @(posedge clk) begin
    if (rst) begin
      active  <= 1'b0;
      room    <= ROOM_BITS'(DEPTH);
      taken   <= 1'b0;
      crowded <= 1'b0;
      stored  <= '0;
    end else begin
      if (started[1]) active <= 1'b1;
      else if (step && group_end && last_group) active <= 1'b0;
      taken <= loads_valid && loads_ready;
      room  <= room - ROOM_BITS'(sent) + ROOM_BITS'(taken);
      if (sent != taken) crowded <= sent && room == ROOM_BITS'(1);
      stored <= stored_then - 2'(is_pixels && step && group_end);
`ifndef SYNTHESIS
      assert (!start || (!active && started == '0 && room == ROOM_BITS'(DEPTH)));
      assert (!active || crowded == (room == '0));
      assert (!active || open == (is_pixels ? stored != '0 : !is_norm || filled > 2'(joined)));
      assert (!active || load_end == (last_word_beat && last_row_beat));
      assert (!active || pass_end == (load_end && last_run && last_row));
      assert (!active || token_end == (slice.left <= (CHANNEL_BITS + 1)'(vaqf_pkg::SIMD)));
      assert (!pixels_stored || stored != 2'd2);
`endif
    end

    // only a step changes what is asked for next
    open <= 1'b1;
    if (is_pixels) open <= step && group_end ? stored_then > 2'd1 : stored_then != '0;
    if (is_norm) begin
      open <= step ? filled_then > 2'(group_end) + 2'(joined_then) : filled_then > 2'(joined);
    end

    one_slice <= limit <= CHANNEL_BITS'(vaqf_pkg::SIMD);
    if (started[1]) begin
      place       <= {WORD_BITS'(0), TURN_BITS'(0), 1'b0, limit};
      slice       <= {WORD_BITS'(0), TURN_BITS'(0), 1'b0, limit};
      token_end   <= limit <= CHANNEL_BITS'(vaqf_pkg::SIMD);
      load_end    <= !is_norm || ONE_BEAT;
      pass_end    <= (!is_norm || ONE_BEAT) && ONE_LOAD;
      word_beat   <= '0;
      row_beat    <= '0;
      run         <= '0;
      row         <= '0;
      joined      <= 1'b0;
      half        <= 1'b0;
      group_token <= '0;
      group_word  <= '0;
      group_q     <= '0;
    end else if (step) begin
      load_end <= load_end_then;
      pass_end  <= load_end_then && run_then == RUN_BITS'(vaqf_pkg::RUNS - 1) &&
                   row_then == ROW_BITS'(RUN_WORDS - 1);
      word_beat <= word_beat_then;
      row_beat <= row_beat_then;
      run <= run_then;
      row <= row_then;
      if (load_end) begin
        place.record <= place.record + WORD_BITS'(WORD_BEATS);
        place.turn   <= place.turn == TURN_BITS'(ROWS - 1) ? '0 : place.turn + 1'b1;
        place.left   <= place.left - (CHANNEL_BITS + 1)'(RUN_CHANNELS);
        if (last_run) place <= last_row ? next_slice : slice;
      end
      if (pass_end) begin
        slice <= next_slice;
        token_end <= token_end ? one_slice :
            (CHANNEL_BITS + 2)'(slice.left) <= (CHANNEL_BITS + 2)'(2 * vaqf_pkg::SIMD);
        if (token_end) joined <= !last_slice;
      end
      if (group_end) begin
        half <= !half;
        group_token <= group_token + COUNT_BITS'(TOKENS);
        if (is_pixels) group_word <= half ? '0 : ADDRESS_BITS'(vaqf_pkg::PIXEL_WORDS);
        else group_word <= group_word + words;
        group_q <= group_q + group_stride;
      end
    end
  end

  // -- addresses, three cycles behind the walk --------------------------------------------------

  localparam int ASK = 3;
  logic asked, asked_q;  // a whole load
  logic [COUNT_BITS-1:0] token;
  logic [ WORD_BITS-1:0] word;
  logic [ADDRESS_BITS-1:0] word_base, address;
  logic [  Q_BITS-1:0] q_base;
  logic [TOKEN_BITS:0] first_word;  // mod TOKENS
  logic [TOKEN_BITS:0] row_element, word_element;  // where the beat begins
  logic [TOKEN_BITS:0] bank;
  logic [TOKEN_BITS-1:0] bank_q, first;
  logic [BANK_BITS-1:0] q_bank;
  logic [Q_BITS-1:0] q_row[ROWS];
  logic [WORD_BITS-1:0] q_word[RUN_WORDS];
  // what counts of a load, and how its bytes are cut
  logic last_load, cut_group_end;
  logic [ROWS-1:0] cut_rows;
  logic [DIGIT_BITS-1:0] cut_digit;
  logic [SHOWN_BITS-1:0] cut_shown;  // channels of each row
  logic [DIGIT_BITS-1:0] load_digit;
  logic [SHOWN_BITS-1:0] load_shown;

  assign first_word   = (TOKEN_BITS + 1)'(sizes::times(32'(place.turn), RUN_WORDS));
  assign row_element  = (TOKEN_BITS + 1)'(sizes::times(32'(row_beat), NORM_ROWS * RUN_WORDS));
  assign word_element = (TOKEN_BITS + 1)'(sizes::times(32'(word_beat), NORM_WORDS));

  always_ff @(posedge clk) begin
    asked <= step && load_end && !rst;
    token <= group_token + COUNT_BITS'(row);
    word <= WORD_BITS'(sizes::times(32'(place.record + WORD_BITS'(word_beat)), NORM_WORDS));
    word_base <= TOKENS == 1 && joined ? words : group_word;
    bank <= (TOKEN_BITS + 1)'(row) + first_word + row_element + word_element
        + (TOKEN_BITS + 1)'(joined);
    q_base <= group_q + Q_BITS'(sizes::times(32'(stride), int'(row)));
    last_load <= group_end;
    load_digit <= digit[DIGIT_BITS-1:0];
    if (place.left <= 0) load_shown <= '0;
    else if (place.left >= (CHANNEL_BITS + 1)'(RUN_CHANNELS))
      load_shown <= SHOWN_BITS'(RUN_CHANNELS);
    else load_shown <= place.left[SHOWN_BITS-1:0];

    asked_q <= asked && !rst;
    address <= word_base + ADDRESS_BITS'(word);
    bank_q  <= TOKEN_BITS'(int'(bank) < TOKENS ? bank : bank - (TOKEN_BITS + 1)'(TOKENS));
    q_bank  <= BANK_BITS'(token) + BANK_BITS'(word);
    for (int j = 0; j < ROWS; ++j) q_row[j] <= q_base + row_stride[j];
    for (int i = 0; i < RUN_WORDS; ++i) begin
      q_word[i] <= WORD_BITS'(32'(word + WORD_BITS'(i)) >> BANK_SHIFT);
    end
    cut_group_end <= last_load;
    cut_digit <= load_digit;
    cut_shown <= load_shown;
    for (int j = 0; j < ROWS; ++j) begin
      cut_rows[j] <= token + COUNT_BITS'(j * RUN_WORDS) < COUNT_BITS'(command.tokens) &&
          !(is_pixels && token + COUNT_BITS'(j * RUN_WORDS) < COUNT_BITS'(command.prefix_tokens));
    end

    first   <= bank_q;
    q_first <= q_bank;
    for (int e = 0; e < TOKENS; ++e)
    q_address[e*Q_BITS+:Q_BITS] <= q_row[e/RUN_WORDS] + Q_BITS'(q_word[e%RUN_WORDS]);
  end

  assign residual_first = first;
  assign hidden_first   = first;
  assign pixels_first   = first;
  logic [ADDRESS_BITS-1:0] word_address[RUN_WORDS];
  for (genvar i = 0; i < RUN_WORDS; ++i) begin : g_word
    always_ff @(posedge clk) word_address[i] <= address + ADDRESS_BITS'(i);
  end
  for (genvar e = 0; e < TOKENS; ++e) begin : g_element
    assign hidden_address[e*HIDDEN_BITS+:HIDDEN_BITS] = word_address[e%RUN_WORDS][HIDDEN_BITS-1:0];
    assign pixels_address[e*PIXELS_BITS+:PIXELS_BITS] = word_address[e%RUN_WORDS][PIXELS_BITS-1:0];
  end
  for (genvar e = 0; e < vaqf_pkg::NORM_TOKENS; ++e) begin : g_norm_element
    assign residual_address[e*RESIDUAL_BITS+:RESIDUAL_BITS] =
        word_address[e%RUN_WORDS][RESIDUAL_BITS-1:0];
  end

  // -- layer norm -------------------------------------------------------------------------------

  localparam int BEAT_BITS = vaqf_pkg::NORM_TOKENS * PE * ACT_BITS;
  logic [BEAT_BITS-1:0] normalized;
  norm_beats #(
      .ROW_BEATS(ROW_BEATS),
      .ASK(ASK)
  ) u_norm_beats (
      .clk,
      .rst,
      .start,
      .command,
      .sums_address,
      .sums_data,
      .filled,
      .filled_then,
      .released(is_norm && step && group_end),
      .number  ({half ^ joined, row_beat, row}),
      .record  (RECORD_BITS'(place.record + WORD_BITS'(word_beat))),
      .residual_data,
      .norm_record_address,
      .norm_record_data,
      .normalized
  );

  loads u_loads (
      .clk,
      .rst,
      .is_pixels,
      .is_context,
      .is_norm,
      .asked(asked_q),
      .cut_group_end,
      .cut_digit,
      .cut_shown,
      .cut_rows,
      .pixels_data,
      .q_data,
      .hidden_data,
      .normalized,
      .pixels_release,
      .loads_valid,
      .loads_ready,
      .loads_data
  );

  logic unused;
  assign unused = &{1'b0, command, plane, digit, first_slice, first_digit, last_digit, first_plane,
                    last_plane, dim_words, filled};
endmodule
