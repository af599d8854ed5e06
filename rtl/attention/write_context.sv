// Context: rows of weighted sums are divided, requantized and written over the queries.
//
// Rows behind the last token, and beats behind the last part, repeat it and write the same again.
module write_context #(
    localparam int L = vaqf_pkg::ATTENTION_LANES,
    localparam int BANK_BITS = sizes::index_bits(vaqf_pkg::BANKS),
    localparam int ADDRESS_BITS = sizes::index_bits(vaqf_pkg::ATTENTION_DEPTH),
    localparam int WORDS = vaqf_pkg::HEAD_WORDS,
    localparam int RUN_BITS = sizes::index_bits(vaqf_pkg::CONTEXT_RUNS)
) (
    input logic clk,
    input logic rst,
    input logic start,  // the first row comes in the next cycle
    input vaqf_pkg::command_t command,
    input logic [ADDRESS_BITS-1:0] stride,
    input logic complete,
    input logic [L*vaqf_pkg::CONTEXT_BITS-1:0] sums,
    input logic [vaqf_pkg::NORM_VALUE_BITS-1:0] mantissa,
    input logic [5:0] exponent,
    output logic [RUN_BITS-1:0] record_address,
    input logic [L*vaqf_pkg::RECORD_BITS-1:0] record_data,
    output logic [WORDS-1:0] q_write,
    output logic [BANK_BITS-1:0] q_first,
    output logic [WORDS*ADDRESS_BITS-1:0] q_address,
    output logic [WORDS*vaqf_pkg::ACT_WORD-1:0] q_data,
    output logic done
);
  localparam int A = vaqf_pkg::ACT_BITS;
  localparam int BEATS = vaqf_pkg::MAX_HEAD_WORDS / vaqf_pkg::HEAD_WORDS;
  localparam int TOKEN_BITS = sizes::bits_for(vaqf_pkg::MAX_TOKENS);
  localparam int MEAN_BITS = A + vaqf_pkg::NORM_FRACTION_BITS;  // of values, and a fraction
  localparam int MULT_BITS = vaqf_pkg::MULT_BITS;
  localparam int BIAS_BITS = vaqf_pkg::BIAS_BITS;
  localparam int RECORD_BITS = vaqf_pkg::RECORD_BITS;
  // the walk is ahead or behind: a step's records meet its means
  localparam int WRITE = latency::SCALE_BY + latency::REQUANTIZE;
  localparam int STEP = latency::SCALE_BY - latency::RECORDS;  // of a row, behind its sums

  logic active, ended;
  logic [RUN_BITS-1:0] run;
  logic [TOKEN_BITS-1:0] query, key;
  logic [ADDRESS_BITS-1:0] query_address, key_address;
  logic [sizes::index_bits(vaqf_pkg::ATTENTION_ROWS)-1:0] slot;
  logic [sizes::index_bits(BEATS)-1:0] beat;
  logic last_part, first_chunk, key_behind, keys_end, chunk_end, group_end;
  logic walk_start;
  delay_flag #(
      .CYCLES(STEP)
  ) u_start (
      .clk,
      .rst,
      .in (start),
      .out(walk_start)
  );
  attention_walk u_walk (
      .start(walk_start),
      .*
  );
  logic unused;
  assign unused = &{1'b0, active, query, key, key_address, slot, beat, last_part, first_chunk,
                    key_behind, keys_end, chunk_end, group_end};
  assign record_address = run;

  logic written;
  delay_flag #(
      .CYCLES(WRITE)
  ) u_written (
      .clk,
      .rst,
      .in (complete),
      .out(written)
  );
  assign q_write = {WORDS{written}};
  delay_flag #(
      .CYCLES(WRITE - STEP + latency::DIAGONAL_WRITE)
  ) u_done (
      .clk,
      .rst,
      .in (ended),
      .out(done)
  );

  logic [BANK_BITS-1:0] query_low, late_query;  // of the token's number
  assign query_low = BANK_BITS'(query);
  logic [ADDRESS_BITS-1:0] late_address;
  logic [RUN_BITS-1:0] late_run;
  delay #(
      .WIDTH (BANK_BITS + ADDRESS_BITS + RUN_BITS),
      .CYCLES(WRITE - STEP - latency::RUN_ADDRESS)
  ) u_late (
      .clk,
      .in ({query_low, query_address, run}),
      .out({late_query, late_address, late_run})
  );
  run_address u_address (
      .clk,
      .token(late_query),
      .address(late_address),
      .run(late_run),
      .first(q_first),
      .addresses(q_address)
  );

  for (genvar i = 0; i < L; ++i) begin : g_lane
    logic [MEAN_BITS-1:0] mean;
    logic signed [A:0] result;  // 0 to ACT_MAX
    scale_by #(
        .BITS(vaqf_pkg::CONTEXT_BITS),
        .OUT_BITS(MEAN_BITS)
    ) u_scale (
        .clk,
        .x(sums[i*vaqf_pkg::CONTEXT_BITS+:vaqf_pkg::CONTEXT_BITS]),
        .mantissa,
        .exponent,
        .result(mean)
    );
    requantize #(
        .OPERAND_BITS(MEAN_BITS),
        .MULT_BITS(MULT_BITS),
        .BIAS_BITS(BIAS_BITS),
        .OUT_BITS(A + 1)
    ) u_requantize (
        .clk,
        .value(mean),
        .mult (record_data[i*RECORD_BITS+:MULT_BITS]),
        .bias (record_data[i*RECORD_BITS+MULT_BITS+:BIAS_BITS]),
        .shift(command.shift),
        .low  ('0),
        .high ((A + 1)'(vaqf_pkg::ACT_MAX)),
        .result
    );
    assign q_data[i*A+:A] = result[A-1:0];
    logic unused_sign;
    assign unused_sign = &{1'b0, result[A]};
  end
endmodule
