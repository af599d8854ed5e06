// The weight ring: weights in the order in which commands use them, in memory once each.
//
// Filled with reads of the weight port, the lowest part of a ring word first, into room that was
// reserved before. The engine names a word by its offset from the first of its command: `available`
// says in the same cycle whether it has arrived (right from the second cycle behind `matmul_start` on),
// and latency::RING cycles later `read_data` is that word. From one cycle to the next the offset stays,
// goes on by one if the word is read, or goes back to one that was read before: where it
// `returns`, with the read, or without one where the engine `skips`. `release_word` frees
// the oldest word, in the cycle of its last read or later; all words of a command are free before the
// next one starts.
// Resident weights are never freed: they stay where `command_offset` says.
module ring (
    input  logic                                               clk,
    input  logic                                               rst,
    input  logic                                               start,           // of a run
    // words of the ring that nobody has a claim to
    output logic [  sizes::bits_for(vaqf_pkg::RING_WORDS)-1:0] room,
    input  logic                                               reserve,
    input  logic [  sizes::bits_for(vaqf_pkg::RING_WORDS)-1:0] reserve_words,
    input  logic                                               fill_valid,
    input  logic [                  vaqf_pkg::WEIGHT_BITS-1:0] fill_data,
    input  logic                                               matmul_start,
    input  logic [sizes::index_bits(vaqf_pkg::RING_WORDS)-1:0] command_offset,
    input  logic                                               read,
    input  logic                                               returns,
    input  logic                                               skips,
    input  logic [sizes::index_bits(vaqf_pkg::RING_WORDS)-1:0] offset,
    output logic                                               available,
    input  logic                                               release_word,
    output logic [                    vaqf_pkg::RING_WORD-1:0] read_data
);
  localparam int WORDS = vaqf_pkg::RING_WORDS;
  localparam int INDEX_BITS = sizes::index_bits(WORDS);
  localparam int COUNT_BITS = sizes::bits_for(WORDS);
  localparam int PARTS = vaqf_pkg::RING_WORD / vaqf_pkg::WEIGHT_BITS;
  localparam int PART_BITS = sizes::index_bits(PARTS);
  localparam bit RESIDENT = vaqf_pkg::RESIDENT != 0;
  localparam logic [INDEX_BITS-1:0] LAST = INDEX_BITS'(WORDS - 1);

  // -- filling -----------------------------------------------------------------------------------

  logic [vaqf_pkg::RING_WORD-1:0] word;
  logic [PART_BITS-1:0] part;
  logic last_part;
  (* keep = "true" *) logic
      write, write_counts;  // a word: for the memory, which is large, and for the rest
  logic [INDEX_BITS-1:0] tail, head;  // next to be written, oldest that is held
  logic [COUNT_BITS-1:0] held;  // written, not released
  assign last_part = part == PART_BITS'(PARTS - 1);

  // a register moves so many bits of the word
  localparam int MOVED = sizes::MOVED_BITS;
  localparam int MOVES = (vaqf_pkg::RING_WORD + MOVED - 1) / MOVED;
  (* keep = "true" *) logic [MOVES-1:0] fill_here;
  logic fill;
  logic [vaqf_pkg::WEIGHT_BITS-1:0] filling;
  logic [vaqf_pkg::RING_WORD-1:0] moved;
  assign moved = vaqf_pkg::RING_WORD'({filling, word} >> vaqf_pkg::WEIGHT_BITS);
  for (genvar i = 0; i < MOVES; ++i) begin : g_move
    localparam int REST = vaqf_pkg::RING_WORD - MOVED * i;
    localparam int BITS = REST < MOVED ? REST : MOVED;
    always_ff @(posedge clk) begin
      fill_here[i] <= fill_valid && !rst && !start;
      if (fill_here[i]) word[MOVED*i+:BITS] <= moved[MOVED*i+:BITS];
    end
  end

  always_ff @(posedge clk) begin
    filling <= fill_data;
    fill    <= fill_valid && !rst && !start;
    if (rst || start) begin
      part <= '0;
      write <= 1'b0;
      write_counts <= 1'b0;
      tail <= '0;
      head <= '0;
      held <= '0;
      room <= COUNT_BITS'(WORDS);
    end else begin
      write <= fill && last_part;
      write_counts <= fill && last_part;
      if (fill) part <= last_part ? '0 : part + 1'b1;
      if (write_counts) tail <= tail == LAST ? '0 : tail + 1'b1;
      if (release_word) head <= head == LAST ? '0 : head + 1'b1;
      held <= held + COUNT_BITS'(write_counts) - COUNT_BITS'(release_word);
      room <= room - (reserve ? reserve_words : '0) + COUNT_BITS'(release_word);
    end
  end

  // -- reading -----------------------------------------------------------------------------------

  // Of the command: where it begins, and how many words from there on have arrived, no more than it
  // can have. An address behind the last word is one that goes on at the first.
  logic [COUNT_BITS-1:0] arrived;
  logic if_read, if_not;  // whether the next word is there
  logic [INDEX_BITS-1:0] first, base, address;
  logic [INDEX_BITS:0] base_around, around;  // less WORDS, negative up to the last word
  assign if_read = write_counts || returns || COUNT_BITS'(offset) + 1'b1 != arrived;
  assign if_not  = write_counts || (returns && skips) || COUNT_BITS'(offset) != arrived;

  assign first   = RESIDENT ? command_offset : head;
  assign around  = base_around + {1'b0, offset};

  always_ff @(posedge clk) begin
    if (matmul_start) begin
      base        <= first;
      base_around <= {1'b0, first} - (INDEX_BITS + 1)'(WORDS);
    end
    if (rst || start) arrived <= '0;
    else if (matmul_start)
      arrived <= held - (RESIDENT ? COUNT_BITS'(first) : '0) + COUNT_BITS'(write_counts);
    else if (arrived != COUNT_BITS'(WORDS)) arrived <= arrived + COUNT_BITS'(write_counts);
    // in a register, as everything that is issued waits for it; the offset is `arrived` at most.
    // Whether the word is read is known last
    available <= !rst && !start && !matmul_start && (read ? if_read : if_not);
    address   <= around[INDEX_BITS] ? base + offset : around[INDEX_BITS-1:0];
  end

  memory #(
      .WIDTH(vaqf_pkg::RING_WORD),
      .DEPTH(WORDS)
  ) u_memory (
      .clk,
      .write,
      .write_address(tail),
      .write_data(word),
      .read_address(address),
      .read_data
  );

  logic [COUNT_BITS-1:0] released;  // words of the command
  always_ff @(posedge clk) begin
    if (rst || matmul_start) released <= '0;
    else released <= released + COUNT_BITS'(release_word);
`ifndef SYNTHESIS
    if (!rst) begin
      assert (fill_here == {MOVES{fill}} && write_counts == write);
      assert (!reserve || reserve_words <= room);
      if (write) assert (held + room < COUNT_BITS'(WORDS));  // else nobody reserved it
      if (read) assert (available && COUNT_BITS'(offset) < arrived);
      if (read) assert (COUNT_BITS'(offset) >= released);
      if (release_word) assert (!RESIDENT && !matmul_start && released < arrived);
      if (matmul_start && RESIDENT) assert (held >= COUNT_BITS'(first));
    end
`endif
  end
endmodule
