// Constants of the patch embedding, from the weight port into the residual stream's memory.
//
// They lie there tile by tile before the results that are added to them: `written` tells of each.
// A result that is written in the same cycle goes first: `holds` says a cycle ahead that one will be,
// so that the weight port, which waits for `in_ready`, waits for registers alone.
module embed_constants (
    input logic clk,
    input logic rst,
    input logic start,
    input vaqf_pkg::command_t command,
    input logic in_valid,
    output logic in_ready,
    input logic [vaqf_pkg::WEIGHT_BITS-1:0] in_data,
    input logic holds,
    output logic written,
    output logic [sizes::index_bits(vaqf_pkg::TOKENS)-1:0] write_first,
    output logic [sizes::index_bits(vaqf_pkg::RESIDUAL_DEPTH)-1:0] write_address,
    output logic [vaqf_pkg::TOKENS*vaqf_pkg::RESIDUAL_WORD-1:0] write_data
);
  localparam int PARTS = vaqf_pkg::CONSTANT_TILE_WORDS;
  localparam int PART = vaqf_pkg::WEIGHT_BITS;
  localparam int PART_BITS = sizes::index_bits(PARTS);
  localparam int WORD_BITS = sizes::index_bits(vaqf_pkg::OUTPUT_WORDS);
  localparam int FIRST_BITS = sizes::index_bits(vaqf_pkg::TOKENS);

  // a register says for so many bits of the tile that they may move, the same as in_ready
  localparam int MOVED = sizes::MOVED_BITS;
  localparam int MOVES = (PARTS * PART + MOVED - 1) / MOVED;
  (* keep = "true" *) logic [MOVES-1:0] ready_here;
  logic [PARTS*PART-1:0] tile, moved;
  logic full, full_then, held, accepts, waits_then;
  logic [PART_BITS-1:0] part;
  logic [WORD_BITS-1:0] word;
  logic last_word;
  logic [WORD_BITS-1:0] last;
  assign accepts = in_valid && in_ready;
  assign full_then = accepts ? part == PART_BITS'(PARTS - 1) : full && held;
  assign waits_then = full_then && holds;
  assign write_data = tile[vaqf_pkg::TOKENS*vaqf_pkg::RESIDUAL_WORD-1:0];
  assign last_word = word == last;

  assign moved = (PARTS * PART)'({in_data, tile} >> PART);
  for (genvar i = 0; i < MOVES; ++i) begin : g_move
    localparam int REST = PARTS * PART - MOVED * i;
    localparam int BITS = REST < MOVED ? REST : MOVED;
    always_ff @(posedge clk) begin
      ready_here[i] <= rst || start || !waits_then;
      if (in_valid && ready_here[i]) tile[MOVED*i+:BITS] <= moved[MOVED*i+:BITS];
    end
  end

  always_ff @(posedge clk) begin
    last <= WORD_BITS'(command.n_words - 1'b1);
    held <= holds;
    if (rst || start) begin
      full     <= 1'b0;
      part     <= '0;
      written  <= 1'b0;
      in_ready <= 1'b1;
    end else begin
      full     <= full_then;
      written  <= full_then && !holds;
      in_ready <= !waits_then;
      if (accepts) part <= part == PART_BITS'(PARTS - 1) ? '0 : part + 1'b1;
    end
`ifndef SYNTHESIS
    if (!rst) assert (!(written && held) && (!written || full));
    if (!rst) assert (ready_here == {MOVES{in_ready}});
`endif
    // word w of row 0 lies in bank w mod T
    if (start) begin
      word          <= '0;
      write_first   <= '0;
      write_address <= '0;
    end else if (written) begin
      word <= last_word ? '0 : word + 1'b1;
      write_first <= last_word || write_first == FIRST_BITS'(vaqf_pkg::TOKENS - 1) ?
          '0 : write_first + 1'b1;
      write_address <= write_address + 1'b1;
    end
  end

  logic unused;  // what pads a tile, and the rest of the command
  assign unused = &{1'b0, tile, command};
endmodule
