// What becomes of accumulators: q, k and v, residual stream, hidden activations or logits.
//
// A pipeline that takes a tile in every cycle, groups outermost, words innermost. Everything about
// a result follows from counting; each count stands at the stage that needs it. Cycle numbers count
// from the arrival of a result. All ports to memories are as diagonal.sv and memory.sv have them.
module results (
    input logic clk,
    input logic rst,
    input logic start,
    input vaqf_pkg::command_t command,
    output logic done,
    // `issued`: the engine sends for a result, which arrives a cycle later or more; only if allowed
    output logic allowed,
    input logic issued,
    // a tile of the patch embedding's constants goes to the residual memory; `residual_write` first
    input logic constant_written,
    input logic acc_valid,
    input logic [vaqf_pkg::TILE*vaqf_pkg::ACC_BITS-1:0] acc_data,
    // sum(a) of each token, once for every group; there before its first result
    input logic sums_valid,
    output logic sums_ready,
    input logic [vaqf_pkg::TOKENS*vaqf_pkg::ACC_BITS-1:0] sums_data,
    // records of a word of channels
    output logic [sizes::index_bits(vaqf_pkg::OUTPUT_WORDS)-1:0] record_address,
    input logic [vaqf_pkg::PE*vaqf_pkg::RECORD_BITS-1:0] record_data,
    // the gelu table, while no command with this destination runs
    input logic gelu_write,
    input logic [$clog2(vaqf_pkg::GELU_ENTRIES)-1:0] gelu_address,
    input logic [vaqf_pkg::ACT_BITS-1:0] gelu_data,
    output logic q_write,
    output logic k_write,
    output logic v_write,
    output logic [3*sizes::index_bits(vaqf_pkg::BANKS)-1:0] qkv_first,  // of v, k, q
    output logic [vaqf_pkg::TOKENS*sizes::index_bits(vaqf_pkg::ATTENTION_DEPTH)-1:0] qkv_address,
    output logic [vaqf_pkg::TOKENS*vaqf_pkg::ACT_WORD-1:0] qkv_data,
    output logic hidden_write,
    output logic [sizes::index_bits(vaqf_pkg::TOKENS)-1:0] hidden_first,
    output logic [sizes::index_bits(vaqf_pkg::HIDDEN_DEPTH)-1:0] hidden_address,
    output logic [vaqf_pkg::TOKENS*vaqf_pkg::ACT_WORD-1:0] hidden_data,
    output logic [sizes::index_bits(vaqf_pkg::TOKENS)-1:0] residual_read_first,
    output logic [sizes::index_bits(vaqf_pkg::RESIDUAL_DEPTH)-1:0] residual_read_address,
    input logic [vaqf_pkg::TOKENS*vaqf_pkg::RESIDUAL_WORD-1:0] residual_read_data,
    output logic residual_writes,  // in the next cycle
    output logic residual_write,
    output logic [sizes::index_bits(vaqf_pkg::TOKENS)-1:0] residual_write_first,
    output logic [sizes::index_bits(vaqf_pkg::RESIDUAL_DEPTH)-1:0] residual_write_address,
    output logic [vaqf_pkg::TOKENS*vaqf_pkg::RESIDUAL_WORD-1:0] residual_write_data,
    output logic row_sums_write,
    output logic [sizes::index_bits(vaqf_pkg::GROUPS)-1:0] row_sums_address,
    output logic [vaqf_pkg::TOKENS*vaqf_pkg::SUMS_BITS-1:0] row_sums_data,
    output logic logits_valid,
    input logic logits_ready,
    output logic [vaqf_pkg::PORT_BITS-1:0] logits_data,
    output logic logits_last
);
  localparam int A = vaqf_pkg::ACT_BITS;
  localparam int T = vaqf_pkg::TOKENS;
  localparam int P = vaqf_pkg::PE;
  localparam int X = vaqf_pkg::RESIDUAL_BITS;
  localparam int ACC = vaqf_pkg::ACC_BITS;
  localparam int OPERAND = vaqf_pkg::OPERAND_BITS;
  localparam int LOGIT = vaqf_pkg::LOGIT_BITS;
  localparam int RECORD = vaqf_pkg::RECORD_BITS;
  localparam int INDEX_BITS = $clog2(vaqf_pkg::GELU_ENTRIES);

  // cycles in which a result is at the stages
  localparam int VALUE = 1;  // of the matmul
  localparam int FOUND = VALUE + latency::REQUANTIZE;  // requantized; q, k, v are written
  localparam int READ = FOUND - latency::DIAGONAL;  // of the residual stream
  localparam int STREAM = FOUND + 1;  // the residual stream is written
  localparam int HIDDEN = FOUND + latency::GELU;  // hidden is written
  localparam int SUMS = STREAM + latency::ROW_SUMS + latency::add_tree(P);

  logic to_qkv, to_residual, to_hidden, to_logits;
  always_ff @(posedge clk) begin
    to_qkv      <= command.dest == 4'(vaqf_pkg::DEST_QKV);
    to_residual <= command.dest == 4'(vaqf_pkg::DEST_RESIDUAL);
    to_hidden   <= command.dest == 4'(vaqf_pkg::DEST_HIDDEN);
    to_logits   <= command.dest == 4'(vaqf_pkg::DEST_LOGITS);
  end

  // -- what arrives ------------------------------------------------------------------------------

  localparam int WORD_BITS = sizes::index_bits(vaqf_pkg::OUTPUT_WORDS);
  logic [WORD_BITS-1:0] word, next_word;
  localparam int ROW_BITS = sizes::bits_for(vaqf_pkg::MAX_TOKENS);
  logic [ROW_BITS-1:0] rows_left;  // of this group and those behind it
  localparam int CHANNEL_BITS = sizes::bits_for(vaqf_pkg::MAX_OUTPUTS);
  logic [CHANNEL_BITS-1:0] outputs;
  assign outputs = CHANNEL_BITS'(command.outputs);
  logic [WORD_BITS-1:0] last_word;
  logic group_end, one_word;  // the result that arrives next is the last of a group, the only one
  assign next_word = group_end ? '0 : word + 1'b1;
  assign sums_ready = acc_valid && group_end;
  // of the result that may arrive in the next cycle: then it meets its value
  assign record_address = acc_valid ? next_word : word;

  // bit i: i cycles ago there was a result, the last of a group, the last of the command
  logic [SUMS+1:1] arrived, group_ended, ended;
  always_ff @(posedge clk) begin
    last_word <= WORD_BITS'(command.n_words - 1'b1);
    one_word  <= last_word == '0;
    if (start) begin
      word <= '0;
      rows_left <= ROW_BITS'(command.tokens);
    end else if (acc_valid) begin
      word <= next_word;
      if (group_end) rows_left <= rows_left - ROW_BITS'(T);
    end
    if (acc_valid) group_end <= group_end ? one_word : word + 1'b1 == last_word;
    else group_end <= word == last_word;
    group_ended <= {group_ended[SUMS:1], group_end};
    // what has gone by is none of the next command's, which ends elsewhere
    if (rst || done) begin
      arrived <= '0;
      ended   <= '0;
    end else begin
      arrived <= {arrived[SUMS:1], acc_valid};
      ended   <= {ended[SUMS:1], acc_valid && group_end && rows_left <= ROW_BITS'(T)};
    end
  end

  // -- requantization ----------------------------------------------------------------------------

  // binary weights: 2 * acc - sum(a); bit planes: acc >> pre_shift
  localparam int EXTRA = ACC > OPERAND ? ACC - OPERAND : 0;  // bits that the multiplier lacks
  localparam int WIDE = OPERAND + EXTRA;
  logic binary;
  logic signed [LOGIT-1:0] low, high;
  always_ff @(posedge clk) begin
    binary <= command.planes == 4'd1;
    if (to_qkv) begin
      low  <= -LOGIT'(vaqf_pkg::SIGNED_MAX);
      high <= LOGIT'(vaqf_pkg::SIGNED_MAX);
    end else if (to_residual) begin
      low  <= -LOGIT'(vaqf_pkg::RESIDUAL_MAX) - 1'b1;
      high <= LOGIT'(vaqf_pkg::RESIDUAL_MAX);
    end else if (to_hidden) begin
      low  <= -LOGIT'(vaqf_pkg::GELU_ENTRIES / 2);
      high <= LOGIT'(vaqf_pkg::GELU_ENTRIES / 2 - 1);
    end else begin
      low  <= -LOGIT'(vaqf_pkg::LOGIT_MAX) - 1'b1;
      high <= LOGIT'(vaqf_pkg::LOGIT_MAX);
    end
  end

  logic [  T*P*X-1:0] found;
  logic [P*LOGIT-1:0] found_logits;
  for (genvar t = 0; t < T; ++t) begin : g_token
    localparam int BITS = t == 0 ? LOGIT : X;  // logits are in row 0
    logic [OPERAND-1:0] sum;
    // of the command, for the lanes of a token: one for all lanes would have thousands of loads
    (* keep = "true" *) logic binary_here;
    (* keep = "true" *) logic signed [BITS-1:0] low_here, high_here;
    always_ff @(posedge clk) begin
      sum         <= binary ? OPERAND'(sums_data[t*ACC+:ACC]) : '0;
      binary_here <= binary;
      low_here    <= low[BITS-1:0];
      high_here   <= high[BITS-1:0];
    end
    logic [3:0] pre_shift;
    if (EXTRA == 0) begin : g_exact
      assign pre_shift = '0;
    end else begin : g_wide
      (* keep = "true" *) logic [3:0] here;
      always_ff @(posedge clk) here <= command.pre_shift;
      assign pre_shift = here;
    end

    for (genvar p = 0; p < P; ++p) begin : g_lane
      logic signed [WIDE-1:0] acc, shifted;
      logic [OPERAND-1:0] minuend;
      logic signed [BITS-1:0] result;
      always_ff @(posedge clk) acc <= WIDE'(signed'(acc_data[(t*P+p)*ACC+:ACC]));
      assign shifted = acc >>> pre_shift;
      // one LUT a bit with the subtraction, which may also be the one in front of a multiplier
      assign minuend = binary_here ? acc[OPERAND-1:0] << 1 : shifted[OPERAND-1:0];

      requantize #(
          .OPERAND_BITS(OPERAND),
          .MULT_BITS(vaqf_pkg::MULT_BITS),
          .BIAS_BITS(vaqf_pkg::BIAS_BITS),
          .OUT_BITS(BITS)
      ) u_requantize (
          .clk,
          .value(minuend - sum),
          .mult (record_data[p*RECORD+:vaqf_pkg::MULT_BITS]),
          .bias (record_data[p*RECORD+vaqf_pkg::MULT_BITS+:vaqf_pkg::BIAS_BITS]),
          .shift(command.shift),
          .low  (low_here),
          .high (high_here),
          .result
      );
      assign found[(t*P+p)*X+:X] = result[X-1:0];
      if (t == 0) begin : g_logit
        assign found_logits[p*LOGIT+:LOGIT] = result;
      end
      logic unused_shifted;
      assign unused_shifted = &{1'b0, shifted};
    end
  end

  // -- q, k, v -----------------------------------------------------------------------------------

  localparam int BANKS = vaqf_pkg::BANKS;
  localparam int FIRST_BITS = sizes::index_bits(BANKS);
  localparam int ADDRESS_BITS = sizes::index_bits(vaqf_pkg::ATTENTION_DEPTH);
  localparam int PLACE = FOUND - 1;  // the cycle in which places are counted
  logic [$bits(command.n_words)-1:0] third;  // of n_words: q, k or v
  third #(
      .BITS($bits(command.n_words))
  ) u_third (
      .clk,
      .number  (command.n_words),
      .quotient(third)
  );

  // of row t in a group: t words of a row in a bank; a few cycles behind `start`
  logic [ADDRESS_BITS-1:0] stride;
  logic [(T+1)*ADDRESS_BITS-1:0] row_offset;
  for (genvar t = 0; t <= T; ++t) begin : g_offset
    localparam int HALF = t / 2;
    logic [ADDRESS_BITS-1:0] doubled;
    assign doubled = t == 0 ? '0 : row_offset[HALF*ADDRESS_BITS+:ADDRESS_BITS] << 1;
    always_ff @(posedge clk) begin
      row_offset[t*ADDRESS_BITS+:ADDRESS_BITS] <= t % 2 == 1 ? doubled + stride : doubled;
    end
  end

  logic [1:0] part;  // q, k, v
  localparam int PART_BITS = sizes::bits_for(vaqf_pkg::MAX_ATTENTION / P);
  logic [PART_BITS-1:0] part_words, part_word;
  logic [FIRST_BITS-1:0] bank;  // of a group's first word
  logic [ADDRESS_BITS-1:0] group_base, base;  // address of a group's first word, of the present one
  logic part_end;
  assign part_words = PART_BITS'(third);
  assign part_end   = part_word == part_words - 1'b1;
  always_ff @(posedge clk) begin
    stride <= ADDRESS_BITS'((32'(part_words) + 32'(BANKS - 1)) / 32'(BANKS));
    if (start) begin
      part       <= '0;
      part_word  <= '0;
      bank       <= '0;
      group_base <= '0;
      base       <= '0;
    end else if (arrived[PLACE]) begin
      part_word <= part_end ? '0 : part_word + 1'b1;
      if (group_ended[PLACE]) begin
        part       <= '0;
        bank       <= FIRST_BITS'((32'(bank) + 32'(T)) % 32'(BANKS));
        group_base <= group_base + row_offset[T*ADDRESS_BITS+:ADDRESS_BITS];
        base       <= group_base + row_offset[T*ADDRESS_BITS+:ADDRESS_BITS];
      end else if (part_end) begin
        part <= part + 1'b1;
        base <= group_base;
      end else if (32'(part_word) % 32'(BANKS) == 32'(BANKS - 1)) begin
        base <= base + 1'b1;
      end
    end
    {v_write, k_write, q_write} <= !rst && arrived[PLACE] && to_qkv ? 3'b001 << part : 3'b000;
  end
  for (genvar m = 0; m < 3; ++m) begin : g_first
    (* keep = "true" *) logic [FIRST_BITS-1:0] first;  // of each memory, whose words hang on it
    always_ff @(posedge clk) first <= FIRST_BITS'((32'(bank) + 32'(part_word)) % 32'(BANKS));
    assign qkv_first[m*FIRST_BITS+:FIRST_BITS] = first;
  end
  for (genvar t = 0; t < T; ++t) begin : g_qkv
    always_ff @(posedge clk) begin
      qkv_address[t*ADDRESS_BITS+:ADDRESS_BITS] <= base + row_offset[t*ADDRESS_BITS+:ADDRESS_BITS];
    end
  end
  for (genvar i = 0; i < T * P; ++i) begin : g_narrow
    assign qkv_data[i*A+:A] = found[i*X+:A];
  end

  // -- places in the memories of token groups ----------------------------------------------------

  localparam int DEPTH = vaqf_pkg::RESIDUAL_DEPTH > vaqf_pkg::HIDDEN_DEPTH ?
      vaqf_pkg::RESIDUAL_DEPTH : vaqf_pkg::HIDDEN_DEPTH;
  localparam int TILE_BITS = sizes::index_bits(DEPTH);
  localparam int TURN_BITS = sizes::index_bits(T);
  logic [TILE_BITS-1:0] tile, stream_tile, hidden_tile;
  logic [TURN_BITS-1:0] turn, stream_turn, hidden_turn;
  always_ff @(posedge clk) begin
    if (start) begin
      tile <= '0;
      turn <= '0;
    end else if (arrived[READ]) begin
      tile <= tile + 1'b1;
      turn <= group_ended[READ] || turn == TURN_BITS'(T - 1) ? '0 : turn + 1'b1;
    end
  end
  delay #(
      .WIDTH (TILE_BITS + TURN_BITS),
      .CYCLES(STREAM - READ)
  ) u_stream_place (
      .clk,
      .in ({tile, turn}),
      .out({stream_tile, stream_turn})
  );
  delay #(
      .WIDTH (TILE_BITS + TURN_BITS),
      .CYCLES(HIDDEN - STREAM)
  ) u_hidden_place (
      .clk,
      .in ({stream_tile, stream_turn}),
      .out({hidden_tile, hidden_turn})
  );

  // -- hidden ------------------------------------------------------------------------------------

  logic [CHANNEL_BITS-1:0] channels_left;  // of this word and those behind it
  logic [P-1:0] behind;  // channels behind the last, a cycle later
  logic [T*P*INDEX_BITS-1:0] index;
  for (genvar i = 0; i < T * P; ++i) begin : g_index
    // plus half the entries
    assign index[i*INDEX_BITS+:INDEX_BITS] = {!found[i*X+INDEX_BITS-1], found[i*X+:INDEX_BITS-1]};
  end
  for (genvar p = 0; p < P; ++p) begin : g_behind
    always_ff @(posedge clk) behind[p] <= channels_left <= CHANNEL_BITS'(p);
  end
  always_ff @(posedge clk) begin
    if (start) channels_left <= outputs;
    else if (arrived[FOUND]) begin
      channels_left <= group_ended[FOUND] ? outputs : channels_left - CHANNEL_BITS'(P);
    end
  end
  gelu u_gelu (
      .clk,
      .write(gelu_write),
      .write_address(gelu_address),
      .write_data(gelu_data),
      .index,
      .clear(behind),
      .result(hidden_data)
  );
  always_ff @(posedge clk) hidden_write <= !rst && !done && arrived[HIDDEN-1] && to_hidden;
  assign hidden_first = hidden_turn;
  assign hidden_address = hidden_tile[sizes::index_bits(vaqf_pkg::HIDDEN_DEPTH)-1:0];

  // -- residual stream ---------------------------------------------------------------------------

  assign residual_read_first = turn;
  assign residual_read_address = tile[sizes::index_bits(vaqf_pkg::RESIDUAL_DEPTH)-1:0];
  assign residual_writes = !rst && !done && arrived[STREAM-1] && to_residual;
  always_ff @(posedge clk) residual_write <= residual_writes;
  assign residual_write_first   = stream_turn;
  assign residual_write_address = stream_tile[sizes::index_bits(vaqf_pkg::RESIDUAL_DEPTH)-1:0];
  for (genvar i = 0; i < T * P; ++i) begin : g_stream
    logic signed [X:0] sum;
    assign sum = (X + 1)'(signed'(found[i*X+:X])) + (X + 1)'(signed'(residual_read_data[i*X+:X]));
    always_ff @(posedge clk) begin
      if (sum[X] == sum[X-1]) residual_write_data[i*X+:X] <= sum[X-1:0];
      else residual_write_data[i*X+:X] <= {sum[X], {X - 1{!sum[X]}}};
    end
  end
  localparam int STREAM_BITS = sizes::bits_for(vaqf_pkg::MAX_DIM / P);
  row_sums u_row_sums (
      .clk,
      .rst,
      .start,
      .n_words (STREAM_BITS'(command.n_words)),
      .in_valid(residual_write),
      .in_last (group_ended[STREAM]),
      .in_data (residual_write_data),
      .write   (row_sums_write),
      .address (row_sums_address),
      .data    (row_sums_data)
  );

  // constants of the patch embedding are ahead of its results
  localparam int AHEAD_BITS = sizes::bits_for(vaqf_pkg::RESIDUAL_DEPTH);
  logic [AHEAD_BITS-1:0] ahead;
  logic from_pixels;
  assign from_pixels = command.source == 4'(vaqf_pkg::SOURCE_PIXELS);
  always_ff @(posedge clk) begin
    if (start) begin
      ahead   <= '0;
      allowed <= !from_pixels;
    end else if (from_pixels) begin
      ahead   <= ahead + AHEAD_BITS'(constant_written) - AHEAD_BITS'(issued);
      // compared before it is known whether one is issued
      allowed <= constant_written || (issued ? ahead > AHEAD_BITS'(1) : ahead != '0);
    end
  end

  // -- logits ------------------------------------------------------------------------------------

  logic logits_done;
  logits u_logits (
      .clk,
      .rst,
      .start,
      .outputs(command.dest == 4'(vaqf_pkg::DEST_LOGITS) ? outputs : '0),
      .in_valid(arrived[FOUND] && to_logits),
      .in_data(found_logits),
      .out_valid(logits_valid),
      .out_ready(logits_ready),
      .out_data(logits_data),
      .out_last(logits_last),
      .done(logits_done)
  );

  // -- the end -----------------------------------------------------------------------------------

  always_comb begin
    if (to_qkv) done = ended[FOUND+latency::DIAGONAL_WRITE];
    else if (to_residual) done = ended[SUMS+1];
    else if (to_hidden) done = ended[HIDDEN+latency::DIAGONAL_WRITE];
    else done = logits_done;
  end

  logic active;
  always_ff @(posedge clk) begin
    if (rst) active <= 1'b0;
    else if (start) active <= 1'b1;
    else if (done) active <= 1'b0;
`ifndef SYNTHESIS
    if (!rst) begin
      assert (!(start && active));
      assert (!acc_valid || active);
      assert (!(acc_valid && binary) || sums_valid);
      assert (!acc_valid || binary || int'(command.pre_shift) <= EXTRA);
      assert (!(issued && from_pixels) || ahead != '0);
      assert (!(gelu_write && active && to_hidden));
      assert (!(constant_written && residual_write));
      if (arrived[PLACE] && to_qkv) begin
        assert (row_offset[T*ADDRESS_BITS+:ADDRESS_BITS] == ADDRESS_BITS'(T * int'(stride)));
      end
    end
`endif
  end

  logic unused;
  assign unused = &{1'b0, command, tile, hidden_tile, stream_tile, third};
endmodule
