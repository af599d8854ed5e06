// Patch rows of a frame: from the images' port into a diagonal memory of two token groups.
//
// `start` finds `command` and `idle`; from then on whole rows are taken, and what pads the frame
// in memory, while there is room. `stored` says that a group may be read, its prefix tokens without
// pixels; `release_group`, not before the last read of the oldest group, that it may be written over.
// A frame begins when all groups before it are released: its group 0 is where any of them may be.
module pixels (
    input logic clk,
    input logic rst,
    input logic start,
    input vaqf_pkg::command_t command,
    output logic idle,
    input logic in_valid,
    output logic in_ready,
    input logic [vaqf_pkg::PORT_BITS-1:0] in_data,
    output logic stored,
    input logic release_group,
    input logic [sizes::index_bits(vaqf_pkg::TOKENS)-1:0] read_first,
    input logic [vaqf_pkg::TOKENS*sizes::index_bits(2*vaqf_pkg::PIXEL_WORDS)-1:0] read_address,
    output logic [vaqf_pkg::TOKENS*8*vaqf_pkg::PE-1:0] read_data
);
  localparam int TOKENS = vaqf_pkg::TOKENS;
  localparam int WORD = 8 * vaqf_pkg::PE;
  localparam int ROW_WORDS = vaqf_pkg::PIXEL_WORDS;
  localparam int ADDRESS_BITS = sizes::index_bits(2 * ROW_WORDS);
  localparam int ROW_BITS = sizes::index_bits(TOKENS);
  localparam int BEAT = vaqf_pkg::PORT_BITS / 8;  // bytes
  localparam int FITTING = BEAT > vaqf_pkg::PE ? BEAT / vaqf_pkg::PE : 1;
  localparam int TOGETHER = FITTING < TOKENS ? FITTING : TOKENS;  // words stored in a cycle
  localparam int ALIGN_BEATS = vaqf_pkg::ALIGN_BYTES / BEAT;
  localparam int BEAT_COUNT_BITS = sizes::bits_for(vaqf_pkg::MAX_PIXEL_BYTES / BEAT);
  localparam int TOKEN_BITS = sizes::bits_for(vaqf_pkg::MAX_TOKENS);

  // what arrives: rows of beats, then the padding of the frame
  logic [BEAT_COUNT_BITS-1:0] beats, row_beats, beats_left;
  logic [TOKEN_BITS-1:0] rows_left;
  logic [$clog2(ALIGN_BEATS)-1:0] place;  // of the next beat in its unit of ALIGN_BYTES
  logic reads, pads;  // rows are left, the unit is begun: in registers, as the port waits for them
  logic row_ready, row_end;
  assign beats = BEAT_COUNT_BITS'(command.pixel_bytes >> $clog2(BEAT));
  assign in_ready = reads ? row_ready : pads;
  assign row_end = beats_left == BEAT_COUNT_BITS'(1);

  always_ff @(posedge clk) begin
    if (rst) begin
      rows_left <= '0;
      reads     <= 1'b0;
      place     <= '0;
      pads      <= 1'b0;
    end else if (start) begin
      rows_left  <= TOKEN_BITS'(command.tokens) - TOKEN_BITS'(command.prefix_tokens);
      reads      <= TOKEN_BITS'(command.tokens) != TOKEN_BITS'(command.prefix_tokens);
      row_beats  <= beats;
      beats_left <= beats;
    end else if (in_valid && in_ready) begin
      place <= place + 1'b1;
      pads  <= place != '1;
      if (reads) begin
        beats_left <= row_end ? row_beats : beats_left - 1'b1;
        if (row_end) begin
          rows_left <= rows_left - 1'b1;
          reads     <= rows_left != TOKEN_BITS'(1);
        end
      end
    end
`ifndef SYNTHESIS
    if (!rst) assert (reads == (rows_left != '0) && pads == (place != '0));
`endif
  end

  logic word_valid, word_ready, word_last;
  logic [TOGETHER*WORD-1:0] words;
  gearbox #(
      .IN (BEAT),
      .OUT(TOGETHER * vaqf_pkg::PE)
  ) u_gearbox (
      .clk,
      .rst,
      .in_valid (in_valid && reads),
      .in_ready (row_ready),
      .in_data,
      .in_last  (row_end),
      .out_valid(word_valid),
      .out_ready(word_ready),
      .out_data (words),
      .out_last (word_last)
  );

  // what is stored: one token after the other
  logic [TOKEN_BITS-1:0] tokens_left;
  logic [$bits(command.prefix_tokens)-1:0] prefix_left;
  logic [ROW_BITS-1:0] row, row_next;  // token of its group
  logic half, first_group, first_then;
  logic [1:0] held, held_then;  // groups that are stored and not released
  logic crowded;  // no room for one: in a register, too
  logic write, row_done, group_done;
  logic skips, wants, skips_then, wants_then;  // the row that is next has no pixels, or has some
  logic last_prefix, crowded_then;
  assign last_prefix = prefix_left == ($bits(prefix_left))'(1);
  assign write = word_valid && word_ready;
  assign row_done = skips ? !crowded : write && word_last;
  assign row_next = row == ROW_BITS'(TOKENS - 1) || tokens_left == TOKEN_BITS'(1) ? '0 : row + 1'b1;
  assign group_done = row_done && row_next == '0;
  assign idle = !reads && !pads && !skips && !wants;
  always_comb begin
    {skips_then, wants_then} = {skips, wants};
    if (start) begin
      skips_then = command.prefix_tokens != '0;
      wants_then = command.prefix_tokens == '0;
    end else if (row_done) begin
      skips_then = skips && !last_prefix;
      wants_then = tokens_left != TOKEN_BITS'(1) && (!skips || last_prefix);
    end
  end
  assign crowded_then = first_then ? held_then != 2'd0 : held_then == 2'd2;
  assign held_then = held + 2'(group_done) - 2'(release_group);
  assign first_then = start || (first_group && !group_done);

  logic [ROW_BITS-1:0] bank, bank_next;  // of the first of the words
  logic [ADDRESS_BITS-1:0] word;  // of the row
  assign bank_next = int'(bank) + TOGETHER < TOKENS ? bank + ROW_BITS'(TOGETHER) :
                     bank - ROW_BITS'(TOKENS - TOGETHER);

  delay_flag #(
      .CYCLES(latency::DIAGONAL_WRITE)
  ) u_stored (
      .clk,
      .rst,
      .in (group_done),
      .out(stored)
  );
  always_ff @(posedge clk) begin
    if (rst) begin
      tokens_left <= '0;
      prefix_left <= '0;
      skips       <= 1'b0;
      wants       <= 1'b0;
      held        <= '0;
      crowded     <= 1'b0;
      word_ready  <= 1'b0;
      first_group <= 1'b0;
    end else begin
      skips       <= skips_then;
      wants       <= wants_then;
      word_ready  <= wants_then && !crowded_then;
      held        <= held_then;
      crowded     <= crowded_then;
      first_group <= first_then;
      if (start) begin
        tokens_left <= TOKEN_BITS'(command.tokens);
        prefix_left <= command.prefix_tokens;
      end else if (row_done) begin
        tokens_left <= tokens_left - 1'b1;
        if (skips) prefix_left <= prefix_left - 1'b1;
      end
`ifndef SYNTHESIS
      assert (!start || idle);
      assert (!release_group || held != 2'd0);
      assert (!write || word < ADDRESS_BITS'(ROW_WORDS));
      assert (skips == (prefix_left != '0));
      assert (wants == (tokens_left != '0 && prefix_left == '0));
      assert (word_ready == (wants && !crowded));
      assert (crowded == (first_group ? held != 2'd0 : held == 2'd2));
`endif
    end
    if (start) begin
      row  <= '0;
      bank <= '0;
      word <= '0;
      half <= 1'b0;
    end else if (row_done) begin
      row  <= row_next;
      bank <= row_next;
      word <= '0;
      if (group_done) half <= !half;
    end else if (write) begin
      bank <= bank_next;
      word <= word + ADDRESS_BITS'(TOGETHER);
    end
  end

  // the words again and again over the elements: most of the way to the banks is wires then
  logic [TOKENS-1:0] write_element;
  logic [TOKENS*ADDRESS_BITS-1:0] write_address;
  logic [TOKENS*WORD-1:0] write_data;
  for (genvar e = 0; e < TOKENS; ++e) begin : g_element
    localparam int SAME = e % TOGETHER;
    logic [ADDRESS_BITS-1:0] own;
    assign own = word + ADDRESS_BITS'(SAME);
    // padding may be whole words, and they may reach beyond the half
    assign write_element[e] = e < TOGETHER && write && own < ADDRESS_BITS'(ROW_WORDS);
    assign write_address[e*ADDRESS_BITS+:ADDRESS_BITS] =
        own + (half ? ADDRESS_BITS'(ROW_WORDS) : '0);
    assign write_data[e*WORD+:WORD] = words[SAME*WORD+:WORD];
  end

  diagonal #(
      .BANKS(TOKENS),
      .ELEMENTS(TOKENS),
      .WIDTH(WORD),
      .DEPTH(2 * ROW_WORDS)
  ) u_diagonal (
      .clk,
      .write(write_element),
      .write_first(bank),
      .write_address,
      .write_data,
      .read_first,
      .read_address,
      .read_data
  );

  logic unused;
  assign unused = &{1'b0, command};
endmodule
