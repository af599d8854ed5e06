// Scores: R queries stand still and meet a run of a key in every cycle.
//
// Keys behind the last repeat it and leave the maxima as they are. The queries of a beat are read
// while the beat before is computed. Scores leave when their last part is added; `maxima` are those of the group whose first scores leave weigh.sv's memory two cycles
// behind its first step: `weigh` starts that, and comes again with every group.
module score_keys #(
    localparam int R = vaqf_pkg::ATTENTION_ROWS,
    localparam int L = vaqf_pkg::ATTENTION_LANES,
    localparam int BANK_BITS = sizes::index_bits(vaqf_pkg::BANKS),
    localparam int ADDRESS_BITS = sizes::index_bits(vaqf_pkg::ATTENTION_DEPTH),
    localparam int RUN_ADDRESS_BITS = vaqf_pkg::HEAD_WORDS * ADDRESS_BITS,
    localparam int RUN_DATA_BITS = vaqf_pkg::HEAD_WORDS * vaqf_pkg::ACT_WORD,
    localparam int SCORE_BITS = vaqf_pkg::SCORE_BITS
) (
    input  logic                                      clk,
    input  logic                                      rst,
    input  logic                                      start,
    input  vaqf_pkg::command_t                        command,
    input  logic               [    ADDRESS_BITS-1:0] stride,
    output logic               [       BANK_BITS-1:0] q_first,
    output logic               [RUN_ADDRESS_BITS-1:0] q_address,
    input  logic               [   RUN_DATA_BITS-1:0] q_data,
    output logic               [       BANK_BITS-1:0] k_first,
    output logic               [RUN_ADDRESS_BITS-1:0] k_address,
    input  logic               [   RUN_DATA_BITS-1:0] k_data,
    output logic                                      valid,
    output logic               [    R*SCORE_BITS-1:0] scores,
    output logic               [    R*SCORE_BITS-1:0] maxima,
    output logic                                      weigh
);
  localparam int A = vaqf_pkg::ACT_BITS;
  localparam int BEATS = vaqf_pkg::MAX_HEAD_WORDS / vaqf_pkg::HEAD_WORDS;
  localparam int TOKEN_BITS = sizes::bits_for(vaqf_pkg::MAX_TOKENS);
  localparam int RUN_BITS = sizes::index_bits(vaqf_pkg::CONTEXT_RUNS);
  localparam int SLOT_BITS = sizes::index_bits(R);
  localparam int MOST = vaqf_pkg::SIGNED_MAX ** 2;
  localparam int PART_BITS = sizes::bits_for(L * MOST) + 1;
  // from a step to its sums of products: loads come R cycles before
  localparam int SUMS = latency::RUN + R + latency::products(L, A, MOST);

  logic active, last_part, group_end;
  logic [SLOT_BITS-1:0] slot;
  logic [ RUN_BITS-1:0] run;
  logic [TOKEN_BITS-1:0] query, key;
  logic [ADDRESS_BITS-1:0] query_address, key_address;
  logic first_part;
  logic [sizes::index_bits(BEATS)-1:0] beat;
  logic first_chunk, key_behind, keys_end, chunk_end, ended;
  attention_walk u_walk (.*);
  assign first_part = BEATS == 1 || beat == '0;
  logic unused;
  assign unused = &{1'b0, first_chunk, query, key, key_behind, keys_end, chunk_end, ended};

  run_address u_q_address (
      .clk,
      .token(BANK_BITS'(query)),
      .address(query_address),
      .run,
      .first(q_first),
      .addresses(q_address)
  );
  logic [BANK_BITS-1:0] key_low, late_key;  // of the token's number
  assign key_low = BANK_BITS'(key);
  logic [ADDRESS_BITS-1:0] late_key_address;
  logic [RUN_BITS-1:0] late_run;
  delay #(
      .WIDTH (BANK_BITS + ADDRESS_BITS + RUN_BITS),
      .CYCLES(R)
  ) u_late_key (
      .clk,
      .in ({key_low, key_address, run}),
      .out({late_key, late_key_address, late_run})
  );
  run_address u_k_address (
      .clk,
      .token(late_key),
      .address(late_key_address),
      .run(late_run),
      .first(k_first),
      .addresses(k_address)
  );

  logic [SLOT_BITS-1:0] load_slot;
  logic loads, swap;
  delay #(
      .WIDTH (1 + SLOT_BITS),
      .CYCLES(latency::RUN)
  ) u_load (
      .clk,
      .in ({active, slot}),
      .out({loads, load_slot})
  );
  delay #(
      .WIDTH (1),
      .CYCLES(R)
  ) u_swap (
      .clk,
      .in (load_slot == '0),
      .out(swap)
  );
  logic [R-1:0] load;
  for (genvar r = 0; r < R; ++r) begin : g_load
    assign load[r] = loads && load_slot == SLOT_BITS'(r);
  end
  logic [R*PART_BITS-1:0] parts;
  products #(
      .OUTPUTS(R),
      .INPUTS (L),
      .M_BITS (A),
      .X_BITS (A),
      .X_MAX  (vaqf_pkg::SIGNED_MAX)
  ) u_products (
      .clk,
      .load,
      .m(q_data),
      .swap,
      .x(k_data),
      .y(parts)
  );

  logic first_sums, complete, group_ended;
  delay #(
      .WIDTH (1),
      .CYCLES(SUMS)
  ) u_first_sums (
      .clk,
      .in (first_part),
      .out(first_sums)
  );
  accumulate #(
      .LANES(R),
      .IN_BITS(PART_BITS),
      .BITS(SCORE_BITS),
      .DEPTH(R)
  ) u_scores (
      .clk,
      .first(BEATS == 1 || first_sums),
      .addend(parts),
      .sum(scores)
  );
  delay_flag #(
      .CYCLES(SUMS)
  ) u_complete (
      .clk,
      .rst,
      .in (active && last_part),
      .out(complete)
  );
  delay_flag #(
      .CYCLES(SUMS)
  ) u_group_end (
      .clk,
      .rst,
      .in (group_end),
      .out(weigh)
  );

  // the maxima so far, and those of the group before
  logic fresh, hold;
  logic [R*SCORE_BITS-1:0] best;
  for (genvar r = 0; r < R; ++r) begin : g_row
    logic signed [SCORE_BITS-1:0] score, top;
    assign score = scores[r*SCORE_BITS+:SCORE_BITS];
    assign best[r*SCORE_BITS+:SCORE_BITS] = top;
    always_ff @(posedge clk) if (valid && (fresh || score > top)) top <= score;
  end
  always_ff @(posedge clk) begin
    if (hold) maxima <= best;
    if (rst) begin
      valid       <= 1'b0;
      group_ended <= 1'b0;
      hold        <= 1'b0;
      fresh       <= 1'b1;
    end else begin
      valid       <= complete;
      group_ended <= weigh;
      hold        <= group_ended;
      fresh       <= group_ended || (fresh && !valid);
    end
  end
endmodule
