// The attention engine: scores, softmax and context of all heads of one layer, over the queries.
//
// A group of R queries takes as many cycles as all keys, rounded up to whole chunks of R, times
// MAX_HEAD_WORDS / HEAD_WORDS, the most reads of a head. While its numerators are computed and its
// values summed, the next group's scores are: a layer takes one group's time more than its groups,
// and the pipeline's. `command` stands still from `start` to `done`.
module attention #(
    localparam int BANK_BITS = sizes::index_bits(vaqf_pkg::BANKS),
    localparam int WORDS = vaqf_pkg::HEAD_WORDS,
    localparam int ADDRESS_BITS = sizes::index_bits(vaqf_pkg::ATTENTION_DEPTH)
) (
    input logic clk,
    input logic rst,
    input logic start,
    input vaqf_pkg::command_t command,
    output logic done,

    output logic [BANK_BITS-1:0] q_read_first,
    output logic [WORDS*ADDRESS_BITS-1:0] q_read_address,
    input logic [WORDS*vaqf_pkg::ACT_WORD-1:0] q_read_data,
    output logic [BANK_BITS-1:0] k_read_first,
    output logic [WORDS*ADDRESS_BITS-1:0] k_read_address,
    input logic [WORDS*vaqf_pkg::ACT_WORD-1:0] k_read_data,
    output logic [BANK_BITS-1:0] v_read_first,
    output logic [WORDS*ADDRESS_BITS-1:0] v_read_address,
    input logic [WORDS*vaqf_pkg::ACT_WORD-1:0] v_read_data,
    output logic [WORDS-1:0] q_write,
    output logic [BANK_BITS-1:0] q_write_first,
    output logic [WORDS*ADDRESS_BITS-1:0] q_write_address,
    output logic [WORDS*vaqf_pkg::ACT_WORD-1:0] q_write_data,

    output logic [sizes::index_bits(vaqf_pkg::CONTEXT_RUNS)-1:0] record_address,
    input logic [vaqf_pkg::ATTENTION_LANES*vaqf_pkg::RECORD_BITS-1:0] record_data
);
  localparam int R = vaqf_pkg::ATTENTION_ROWS;
  localparam int BANKS = vaqf_pkg::BANKS;
  localparam int SCORE_BITS = vaqf_pkg::SCORE_BITS;

  logic [ADDRESS_BITS-1:0] stride;  // of a token in every bank; a cycle behind `start`
  always_ff @(posedge clk) begin
    stride <= ADDRESS_BITS'((int'(command.n_words) + BANKS - 1) / BANKS);
  end

  logic scored, weigh;
  logic [R*SCORE_BITS-1:0] scores, maxima;
  score_keys u_scores (
      .clk,
      .rst,
      .start,
      .command,
      .stride,
      .q_first(q_read_first),
      .q_address(q_read_address),
      .q_data(q_read_data),
      .k_first(k_read_first),
      .k_address(k_read_address),
      .k_data(k_read_data),
      .valid(scored),
      .scores,
      .maxima,
      .weigh
  );

  logic weigh_begins, write_half;
  logic [R-1:0] write;
  logic [sizes::index_bits(R)-1:0] write_key;
  logic [R*vaqf_pkg::EXP_BITS-1:0] write_rows;
  weigh u_weigh (
      .clk,
      .rst,
      .start (weigh),
      .command,
      .valid (scored),
      .scores,
      .maxima,
      .begins(weigh_begins),
      .write,
      .write_half,
      .write_key,
      .write_rows
  );

  logic context_begins, complete;
  logic [vaqf_pkg::ATTENTION_LANES*vaqf_pkg::CONTEXT_BITS-1:0] sums;
  logic [vaqf_pkg::NORM_VALUE_BITS-1:0] mantissa;
  logic [5:0] exponent;
  sum_values u_values (
      .clk,
      .rst,
      .weigh_begins,
      .command,
      .stride,
      .write,
      .write_half,
      .write_key,
      .write_rows,
      .v_first(v_read_first),
      .v_address(v_read_address),
      .v_data(v_read_data),
      .begins(context_begins),
      .complete,
      .sums,
      .mantissa,
      .exponent
  );

  write_context u_context (
      .clk,
      .rst,
      .start(context_begins),
      .command,
      .stride,
      .complete,
      .sums,
      .mantissa,
      .exponent,
      .record_address,
      .record_data,
      .q_write,
      .q_first(q_write_first),
      .q_address(q_write_address),
      .q_data(q_write_data),
      .done
  );
endmodule
