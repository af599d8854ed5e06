// Softmax numerators: scores wait here until their maximum is known, and meet it R keys at a time.
//
// A head of several parts takes several beats, in each of which a share of the R rows is weighed:
// R / BEATS lanes suffice. Numerators leave as the keys of a chunk, LANES rows of one at a time.
module weigh #(
    localparam int R = vaqf_pkg::ATTENTION_ROWS,
    localparam int BEATS = vaqf_pkg::MAX_HEAD_WORDS / vaqf_pkg::HEAD_WORDS,
    localparam int SLOT_BITS = sizes::index_bits(R),
    localparam int SCORE_BITS = vaqf_pkg::SCORE_BITS,
    localparam int EXP_BITS = vaqf_pkg::EXP_BITS
) (
    input logic clk,
    input logic rst,
    input logic start,  // or the next group
    input vaqf_pkg::command_t command,
    input logic valid,
    input logic [R*SCORE_BITS-1:0] scores,
    input logic [R*SCORE_BITS-1:0] maxima,
    output logic begins,  // its first step comes in the next cycle
    output logic [R-1:0] write,
    output logic write_half,
    output logic [SLOT_BITS-1:0] write_key,
    output logic [R*EXP_BITS-1:0] write_rows
);
  localparam int LANES = (R + BEATS - 1) / BEATS;
  localparam int TOKEN_BITS = sizes::bits_for(vaqf_pkg::MAX_TOKENS);
  localparam int ADDRESS_BITS = sizes::index_bits(vaqf_pkg::ATTENTION_DEPTH);
  localparam int RUN_BITS = sizes::index_bits(vaqf_pkg::CONTEXT_RUNS);
  localparam int BEAT_BITS = sizes::index_bits(BEATS);
  // a group's chunks, read as long after their writing as a group takes, and one being written
  localparam int DEPTH = ((vaqf_pkg::MAX_TOKENS + R - 1) / R + 1) * R;
  localparam int DEPTH_BITS = sizes::index_bits(DEPTH);

  logic active, key_behind, chunk_end, group_end;
  logic [SLOT_BITS-1:0] slot;
  logic [BEAT_BITS-1:0] beat;
  logic [ RUN_BITS-1:0] run;
  logic [TOKEN_BITS-1:0] query, key;
  logic [ADDRESS_BITS-1:0] stride, query_address, key_address;
  logic last_part, first_chunk, keys_end, ended;
  assign stride = '0;  // no addresses wanted
  assign begins = start && !active;
  attention_walk u_walk (
      .start(begins),
      .*
  );
  logic unused;
  assign unused = &{1'b0, run, query, key, query_address, key_address, last_part, first_chunk,
                    keys_end, ended};

  logic [DEPTH_BITS-1:0]
      put, chunk;  // where the next score goes; where the chunk being read begins
  logic [R*SCORE_BITS-1:0] waited;
  memory #(
      .WIDTH(R * SCORE_BITS),
      .DEPTH(DEPTH)
  ) u_scores (
      .clk,
      .write(valid),
      .write_address(put),
      .write_data(scores),
      .read_address(chunk + DEPTH_BITS'(slot)),
      .read_data(waited)
  );
  logic half;
  always_ff @(posedge clk) begin
    if (rst) begin
      put   <= '0;
      chunk <= '0;
      half  <= 1'b0;
    end else begin
      if (valid) put <= put == DEPTH_BITS'(DEPTH - 1) ? '0 : put + 1'b1;
      if (chunk_end) begin
        chunk <= chunk == DEPTH_BITS'(DEPTH - R) ? '0 : chunk + DEPTH_BITS'(R);
        half  <= !half;
      end
`ifndef SYNTHESIS
      // groups follow each other without a gap
      assert (!(start && active) || group_end);
`endif
    end
  end

  logic [BEAT_BITS-1:0] delta_beat, write_beat;
  delay #(
      .WIDTH (BEAT_BITS),
      .CYCLES(latency::MEMORY)
  ) u_delta (
      .clk,
      .in (beat),
      .out(delta_beat)
  );
  logic writes, counts;
  delay #(
      .WIDTH (3 + SLOT_BITS + BEAT_BITS),
      .CYCLES(latency::WEIGH)
  ) u_write (
      .clk,
      .in ({active, !key_behind, half, slot, beat}),
      .out({writes, counts, write_half, write_key, write_beat})
  );

  logic [LANES*BEATS*SCORE_BITS-1:0] all_scores, all_maxima;
  assign all_scores = (LANES * BEATS * SCORE_BITS)'(waited);
  assign all_maxima = (LANES * BEATS * SCORE_BITS)'(maxima);
  localparam int BEAT = LANES * SCORE_BITS;  // one product, which no DSP is taken for
  logic [BEAT-1:0] beat_scores, beat_maxima;
  if (BEATS == 1) begin : g_all_rows
    assign beat_scores = all_scores;
    assign beat_maxima = all_maxima;
    logic unused_beat;
    assign unused_beat = &{1'b0, delta_beat};
  end else begin : g_rows_of_a_beat
    assign beat_scores = all_scores[int'(delta_beat)*BEAT+:BEAT];
    assign beat_maxima = all_maxima[int'(delta_beat)*BEAT+:BEAT];
  end

  logic [LANES*EXP_BITS-1:0] numerators;
  for (genvar i = 0; i < LANES; ++i) begin : g_lane
    // of the command, for this lane
    (* keep = "true" *) logic [vaqf_pkg::SCORE_MULT_BITS-1:0] mult;
    (* keep = "true" *) logic [5:0] shift;
    always_ff @(posedge clk) begin
      mult  <= command.score_mult;
      shift <= command.score_shift;
    end
    logic [SCORE_BITS-1:0] delta;
    logic [  EXP_BITS-1:0] numerator;
    always_ff @(posedge clk) begin
      delta <= beat_maxima[i*SCORE_BITS+:SCORE_BITS] - beat_scores[i*SCORE_BITS+:SCORE_BITS];
    end
    exponent u_exponent (
        .clk,
        .delta,
        .mult,
        .shift,
        .result(numerator)
    );
    assign numerators[i*EXP_BITS+:EXP_BITS] = counts ? numerator : '0;
  end
  for (genvar r = 0; r < R; ++r) begin : g_row
    assign write[r] = writes && write_beat == BEAT_BITS'(r / LANES);
    assign write_rows[r*EXP_BITS+:EXP_BITS] = numerators[r%LANES*EXP_BITS+:EXP_BITS];
  end
endmodule
