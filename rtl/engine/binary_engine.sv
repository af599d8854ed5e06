// The binary engine: T x P x K multiply-accumulates per cycle, a pass at a time.
//
// Issues one look-up per output word and pass as soon as its weights and operands are there; behind
// that nothing stalls. Partial sums wait in a memory between the passes of a group:
//   acc = (first pass of a plane ? 2 * acc : acc) + (plane 7 ? -S : S) << (digit * A)
// With binary weights the matmul's value is 2 * acc - sum(a), with bit planes it is acc.
module binary_engine (
    input  logic                                                             clk,
    input  logic                                                             rst,
    input  logic                                                             start,
    input  vaqf_pkg::command_t                                               command,
    // loads, as rows.sv sends them
    input  logic                                                             load_valid,
    output logic                                                             load_ready,
    input  logic               [                    vaqf_pkg::LOAD_BITS-1:0] load_data,
    // the ring, as ring.sv has it: offset from the command's first word; data come latency::RING later
    output logic               [sizes::index_bits(vaqf_pkg::RING_WORDS)-1:0] ring_offset,
    output logic                                                             ring_read,
    output logic                                                             ring_returns,
    output logic                                                             ring_skips,
    input  logic                                                             ring_available,
    output logic                                                             ring_release,
    input  logic               [                    vaqf_pkg::RING_WORD-1:0] ring_data,
    // results, a tile in every cycle at most, words of a group in order
    input  logic                                                             allowed,
    output logic                                                             issued,
    output logic                                                             acc_valid,
    output logic               [      vaqf_pkg::TILE*vaqf_pkg::ACC_BITS-1:0] acc_data,
    output logic                                                             sums_valid,
    input  logic                                                             sums_ready,
    output logic               [    vaqf_pkg::TOKENS*vaqf_pkg::ACC_BITS-1:0] sums_data
);
  localparam int A = vaqf_pkg::ACT_BITS;
  localparam int ACC = vaqf_pkg::ACC_BITS;
  localparam int S = vaqf_pkg::SLICE_SUM_BITS;
  localparam int TILE = vaqf_pkg::TILE;
  localparam int WORDS = vaqf_pkg::PARTIAL_WORDS > 0 ? vaqf_pkg::PARTIAL_WORDS : 1;
  localparam int WORD_BITS = sizes::index_bits(WORDS);

  // -- what is issued ----------------------------------------------------------------------------

  logic active;
  logic [1:0]
      prepared, prepared_then;  // halves of the operands that are ready, with the one in use
  logic waiting;  // there is one
  logic bank;
  localparam int INTERVAL = sizes::most(vaqf_pkg::OUTPUT_WORDS, vaqf_pkg::MIN_INTERVAL);
  localparam int INTERVAL_BITS = sizes::bits_for(INTERVAL);
  logic [INTERVAL_BITS-1:0] word, n_words, interval;
  localparam int OFFSET_BITS = sizes::index_bits(vaqf_pkg::RING_WORDS);
  logic [OFFSET_BITS-1:0] plane_offset;  // of the plane's first word
  logic prepare_done, issue, step, used, last_word, pass_end;
  logic [3:0] plane, digit;
  logic first_slice, last_slice, first_digit, last_digit, first_plane, last_plane, last_group;
  logic first_pass, last_pass;  // of the group
  passes u_passes (
      .clk,
      .start,
      .command,
      .next(pass_end),
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

  assign first_pass = first_plane && first_digit && first_slice;
  // a LUT: what follows from it has far to go
  assign issue = active && used && waiting && ring_available && (!last_pass || allowed);
  assign step = issue || ring_skips;
  assign pass_end = step && last_word;
  assign prepared_then = prepared + 2'(prepare_done) - 2'(pass_end);
  assign issued = issue && last_pass;
  assign ring_read = issue;
  assign ring_returns = last_word && last_slice && !(last_digit && !last_plane);
  assign ring_skips = active && !used;
  always_ff @(posedge clk) begin
    n_words <= INTERVAL_BITS'(command.n_words);
    // a partial sum is read MIN_INTERVAL cycles behind the one before, or later
    interval <= int'(command.n_words) < vaqf_pkg::MIN_INTERVAL ?
        INTERVAL_BITS'(vaqf_pkg::MIN_INTERVAL) : INTERVAL_BITS'(command.n_words);
    if (rst) active <= 1'b0;
    else if (start) active <= 1'b1;
    else if (pass_end && last_pass && last_group) active <= 1'b0;

    if (start) begin
      word      <= '0;
      used      <= 1'b1;
      last_word <= 1'b0;
    end else if (step) begin
      word      <= last_word ? '0 : word + 1'b1;
      used      <= last_word || word + 1'b1 < n_words;
      last_word <= !last_word && word + INTERVAL_BITS'(2) == interval;
    end
    // resident weights stay
    ring_release <= vaqf_pkg::RESIDENT == 0 && !rst && issue && last_group && last_digit;

    if (rst) begin
      prepared <= '0;
      waiting <= 1'b0;
      bank <= 1'b0;
    end else begin
      prepared <= prepared_then;
      waiting  <= prepared_then != '0;
      if (pass_end) bank <= !bank;
`ifndef SYNTHESIS
      assert (!(prepare_done && prepared == 2'd2));
      if (active) assert (used == (word < n_words) && last_word == (word == interval - 1'b1));
`endif
    end

    if (start) begin
      ring_offset  <= '0;
      plane_offset <= '0;
    end else if (pass_end && last_slice) begin
      if (!last_digit) begin
        ring_offset <= plane_offset;
      end else if (!last_plane) begin
        ring_offset  <= ring_offset + OFFSET_BITS'(used);
        plane_offset <= ring_offset + OFFSET_BITS'(used);
      end else begin
        ring_offset  <= '0;
        plane_offset <= '0;
      end
    end else if (issue) begin
      ring_offset <= ring_offset + 1'b1;
    end
  end

  // -- operands and their sums -------------------------------------------------------------------

  logic operands_ready, room, load_enters, take, free, bank_then;
  logic [TILE*S-1:0] sums;
  assign load_ready = operands_ready && room;
  assign load_enters = load_valid && room;
  assign take = load_valid && load_ready;
  delay_flag #(
      .CYCLES(latency::RING)
  ) u_free_delay (
      .clk,
      .rst,
      .in (pass_end),
      .out(free)
  );
  delay #(
      .WIDTH (1),
      .CYCLES(latency::RING)
  ) u_bank_delay (
      .clk,
      .in (bank),
      .out(bank_then)
  );
  if (vaqf_pkg::ENGINE_TABLE) begin : g_table
    lookup u_sums (
        .clk,
        .rst,
        .load_valid(load_enters),
        .load_ready(operands_ready),
        .load_data,
        .prepared(prepare_done),
        .free,
        .weights(ring_data),
        .bank(bank_then),
        .sums
    );
  end else begin : g_adder
    masked_sum u_sums (
        .clk,
        .rst,
        .load_valid(load_enters),
        .load_ready(operands_ready),
        .load_data,
        .prepared(prepare_done),
        .free,
        .weights(ring_data),
        .bank(bank_then),
        .sums
    );
  end
  operand_sums u_operand_sums (
      .clk,
      .rst,
      .start,
      .command,
      .room,
      .take,
      .load_data,
      .sums_valid,
      .sums_ready,
      .sums_data
  );

  // -- accumulation ------------------------------------------------------------------------------

  localparam int LATENCY = latency::RING + latency::sums(
      vaqf_pkg::ENGINE_TABLE, vaqf_pkg::SIMD, vaqf_pkg::DSP_SUMS
  );
  if (latency::MEMORY + 2 > vaqf_pkg::MIN_INTERVAL) begin : g_too_late
    $error("a partial sum is read before it is written");
  end
  logic now_issued, soon_first, soon_double, soon_negative, soon_last, now_last;
  logic [3:0] soon_digit;  // as many times A bits
  delay_flag #(
      .CYCLES(LATENCY)
  ) u_issued_delay (
      .clk,
      .rst,
      .in (issue),
      .out(now_issued)
  );
  delay #(
      .WIDTH (8),
      .CYCLES(LATENCY - 1)
  ) u_delay (
      .clk,
      .in({
        first_pass,
        first_digit && first_slice,
        plane == 4'(vaqf_pkg::FIXED_WEIGHT_BITS - 1),
        last_pass,
        digit
      }),
      .out({soon_first, soon_double, soon_negative, soon_last, soon_digit})
  );
  logic [WORD_BITS-1:0] word_read, word_now, word_write;
  delay #(
      .WIDTH (WORD_BITS),
      .CYCLES(LATENCY - latency::MEMORY)
  ) u_word_delay (
      .clk,
      .in (WORD_BITS'(word)),
      .out(word_read)
  );
  delay #(
      .WIDTH (WORD_BITS),
      .CYCLES(latency::MEMORY)
  ) u_word_read_delay (
      .clk,
      .in (word_read),
      .out(word_now)
  );

  logic [TILE*ACC-1:0] partial;
  logic write;
  memory #(
      .WIDTH(TILE * ACC),
      .DEPTH(WORDS)
  ) u_partial (
      .clk,
      .write,
      .write_address(word_write),
      .write_data(acc_data),
      .read_address(word_read),
      .read_data(partial)
  );
  for (genvar t = 0; t < vaqf_pkg::TOKENS; ++t) begin : g_token
    // one for all lanes would have thousands of loads
    (* keep = "true" *) logic now_first, now_double, now_negative;
    always_ff @(posedge clk) begin
      {now_first, now_double, now_negative} <= {soon_first, soon_double, soon_negative};
    end
    logic [vaqf_pkg::PIXEL_DIGITS-1:0] now_digit;  // one bit each
    assign now_digit[0] = 1'b0;  // nobody asks for it
    logic unused;
    assign unused = &{1'b0, now_digit[0], soon_digit};
    for (genvar d = 1; d < vaqf_pkg::PIXEL_DIGITS; ++d) begin : g_digit
      (* keep = "true" *) logic here;
      always_ff @(posedge clk) here <= soon_digit == 4'(d);
      assign now_digit[d] = here;
    end
    for (genvar i = t * vaqf_pkg::PE; i < (t + 1) * vaqf_pkg::PE; ++i) begin : g_lane
      logic [ACC-1:0] old, base, term;
      assign old  = partial[i*ACC+:ACC];
      assign base = now_first ? '0 : now_double ? {old[ACC-2:0], 1'b0} : old;
      always_comb begin
        term = ACC'(sums[i*S+:S]);
        for (int d = 1; d < vaqf_pkg::PIXEL_DIGITS; ++d) begin
          if (now_digit[d]) term = ACC'(sums[i*S+:S]) << (d * A);
        end
      end
      always_ff @(posedge clk) acc_data[i*ACC+:ACC] <= now_negative ? base - term : base + term;
    end
  end
  always_ff @(posedge clk) begin
    now_last   <= soon_last;
    acc_valid  <= !rst && now_issued && now_last;
    write      <= !rst && now_issued && !now_last;
    word_write <= word_now;
  end
endmodule
