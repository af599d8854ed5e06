// Where a part of the attention engine is: one step a cycle through all heads of a command.
//
// Outermost first: head, group of R queries, chunk of R keys, beat (a part of the head's channels, or
// none if the head is narrow), slot. Every part of the engine has a walk of its own that starts when
// the first data reach it; so all stay in step, however far apart.
module attention_walk #(
    localparam int R = vaqf_pkg::ATTENTION_ROWS,
    localparam int BEATS = vaqf_pkg::MAX_HEAD_WORDS / vaqf_pkg::HEAD_WORDS,
    localparam int TOKEN_BITS = sizes::bits_for(vaqf_pkg::MAX_TOKENS),
    localparam int ADDRESS_BITS = sizes::index_bits(vaqf_pkg::ATTENTION_DEPTH),
    localparam int RUN_BITS = sizes::index_bits(vaqf_pkg::CONTEXT_RUNS)
) (
    input logic clk,
    input logic rst,
    input logic start,
    input vaqf_pkg::command_t command,
    input logic [ADDRESS_BITS-1:0] stride,  // of a token
    output logic active,
    output logic [sizes::index_bits(R)-1:0] slot,
    output logic [sizes::index_bits(BEATS)-1:0] beat,
    output logic [RUN_BITS-1:0] run,  // of a token: head and part
    output logic last_part,  // of the head's channels; beats behind it repeat its run
    output logic first_chunk,
    output logic [TOKEN_BITS-1:0] query,
    output logic [ADDRESS_BITS-1:0] query_address,
    output logic [TOKEN_BITS-1:0] key,
    output logic [ADDRESS_BITS-1:0] key_address,
    output logic key_behind,
    output logic keys_end,  // in the last slot: of the last chunk
    output logic chunk_end,
    output logic group_end,
    output logic ended  // the last step of all
);
  logic [$bits(command.heads)-1:0] head;
  logic [RUN_BITS-1:0] head_run;  // the head's first
  localparam int SLOT_BITS = $bits(slot);
  localparam int BEAT_BITS = $bits(beat);
  logic beat_end, active_then, turns_then, head_end, last_head, queries_end, unused_behind;
  logic chunk_then, keys_then, queries_then;
  logic [SLOT_BITS-1:0] slot_then;
  logic [BEAT_BITS-1:0] beat_then;
  // what others hang on stands in registers, a cycle ahead of its use
  assign active_then = !rst && (start || (active && !ended));
  assign slot_then   = start || beat_end ? '0 : slot + 1'b1;
  assign beat_then   = start || chunk_end ? '0 : beat_end ? beat + 1'b1 : beat;
  assign turns_then  = slot_then == SLOT_BITS'(R - 1);
  assign chunk_then  = active_then && turns_then && beat_then == BEAT_BITS'(BEATS - 1);
  assign ended       = head_end && last_head;

  cursor u_query (
      .clk,
      .restart(start || head_end),
      .turn(beat_end),
      .onward(group_end),
      .tokens(TOKEN_BITS'(command.tokens)),
      .stride,
      .token(query),
      .address(query_address),
      .behind(unused_behind),
      .at_end(queries_end),
      .at_end_then(queries_then)
  );
  cursor u_key (
      .clk,
      .restart(start || group_end),
      .turn(beat_end),
      .onward(chunk_end),
      .tokens(TOKEN_BITS'(command.tokens)),
      .stride,
      .token(key),
      .address(key_address),
      .behind(key_behind),
      .at_end(keys_end),
      .at_end_then(keys_then)
  );

  logic [$bits(command.head_words)-1:0] parted;  // words of the head up to this part's end
  logic whole, repeats;
  assign whole = parted == command.head_words;
  assign last_part = whole && !repeats;

  always_ff @(posedge clk) begin
    active <= active_then;

    slot <= slot_then;
    beat <= beat_then;
    beat_end <= turns_then;
    chunk_end <= chunk_then;
    group_end <= chunk_then && keys_then;
    head_end <= chunk_then && keys_then && queries_then;

    if (start || group_end) first_chunk <= 1'b1;
    else if (chunk_end) first_chunk <= 1'b0;

    if (start) begin
      head      <= '0;
      last_head <= command.heads == ($bits(head))'(1);
    end else if (head_end) begin
      head      <= head + 1'b1;
      last_head <= head + ($bits(head))'(2) == command.heads;
    end

    if (start || chunk_end) begin
      repeats <= 1'b0;
      parted  <= ($bits(parted))'(vaqf_pkg::HEAD_WORDS);
    end else if (beat_end) begin
      repeats <= whole;
      if (!whole) parted <= parted + ($bits(parted))'(vaqf_pkg::HEAD_WORDS);
    end

    // the last beat is at the head's last part, or repeats it
    if (start) {run, head_run} <= '0;
    else if (head_end) {run, head_run} <= {2{run + 1'b1}};
    else if (chunk_end) run <= head_run;
    else if (beat_end && !whole) run <= run + 1'b1;
`ifndef SYNTHESIS
    if (!rst) assert (!(start && active));
    if (!rst) assert (group_end == (chunk_end && keys_end));
    if (!rst) assert (head_end == (group_end && queries_end));
`endif
  end

  logic unused;  // other fields; queries behind the last repeat it as well
  assign unused = &{1'b0, command, unused_behind};
endmodule
