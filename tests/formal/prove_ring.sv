// ring.sv: a word that is read has arrived and is not overwritten, no room is promised twice.
//
// One word, chosen by the solver, is followed from its parts to `read_data`. Words are numbered
// modulo more than twice the ring, since a run began. What the ring's users promise is assumed.
module prove_ring #(
    localparam int WORDS = vaqf_pkg::RING_WORDS,
    localparam int PART = vaqf_pkg::WEIGHT_BITS,
    localparam int WIDTH = 2 * PART,
    localparam bit RESIDENT = vaqf_pkg::RESIDENT != 0,
    localparam int INDEX_BITS = sizes::index_bits(WORDS),
    localparam int COUNT_BITS = sizes::bits_for(WORDS),
    localparam int NUMBER_BITS = COUNT_BITS + 2
) (
    input  logic                  clk,
    input  logic                  rst,
    input  logic                  start,
    input  logic                  reserve,
    input  logic [COUNT_BITS-1:0] reserve_words,
    input  logic                  fill_valid,
    input  logic [      PART-1:0] fill_data,
    input  logic                  matmul_start,
    input  logic [INDEX_BITS-1:0] command_offset,
    input  logic                  read,
    input  logic                  returns,
    input  logic                  skips,
    input  logic [INDEX_BITS-1:0] offset,
    input  logic                  release_word,
    output logic                  available
);
  logic [COUNT_BITS-1:0] room;
  logic [WIDTH-1:0] read_data;
  ring dut (
      .clk,
      .rst,
      .start,
      .room,
      .reserve,
      .reserve_words,
      .fill_valid,
      .fill_data,
      .matmul_start,
      .command_offset,
      .read,
      .returns,
      .skips,
      .offset,
      .available,
      .release_word,
      .read_data
  );

  (* hierconn *) wire [WIDTH-1:0] \dut.u_memory.g_row[0].g_some.u_row.g_luts.words[0] ,
      \dut.u_memory.g_row[0].g_some.u_row.g_luts.words[1] ,
      \dut.u_memory.g_row[0].g_some.u_row.g_luts.words[2] , \dut.word ;
  (* hierconn *) wire \dut.part , \dut.write , \dut.fill ;
  (* hierconn *) wire [PART-1:0] \dut.filling ;
  (* hierconn *) wire [INDEX_BITS-1:0] \dut.tail , \dut.head , \dut.base ;
  (* hierconn *) wire [INDEX_BITS:0] \dut.base_around ;
  (* hierconn *) wire [COUNT_BITS-1:0] \dut.held , \dut.arrived , \dut.released ;
  logic [WIDTH*WORDS-1:0] words;
  assign words = {
    \dut.u_memory.g_row[0].g_some.u_row.g_luts.words[2] ,
    \dut.u_memory.g_row[0].g_some.u_row.g_luts.words[1] ,
    \dut.u_memory.g_row[0].g_some.u_row.g_luts.words[0]
  };

  (* anyconst *) logic [NUMBER_BITS-1:0] followed;
  logic [WIDTH-1:0] word;
  // numbers: words that came whole, are in the memory, were released; the command's first
  logic [NUMBER_BITS-1:0] filled, written, released, first;
  logic started;  // a command, since the run began
  logic fresh;  // in the cycle before
  logic [COUNT_BITS-1:0] seen;  // words of the command up to the last that was read
  logic [COUNT_BITS-1:0] next_offset;  // if it did not go back
  logic went_back, back;
  assign back = returns && (read || skips);
  logic [COUNT_BITS-1:0] due;  // words reserved that have not come whole
  logic [2:0] reads;  // of the followed word, on their way
  logic [NUMBER_BITS-1:0] behind;  // of the followed word, to the oldest
  int place, end_place, base_place;
  assign written = filled - NUMBER_BITS'(\dut.write );
  assign behind  = followed - released;
  always_comb begin
    place = int'(\dut.head ) + int'(behind);
    if (place >= WORDS) place = place - WORDS;
    end_place = int'(\dut.head ) + int'(\dut.held );
    if (end_place >= WORDS) end_place = end_place - WORDS;
    base_place = int'(\dut.base ) + int'(\dut.released );
    if (base_place >= WORDS) base_place = base_place - WORDS;
  end

  initial assume (rst && !\dut.write );  // the memory knows no reset
  always_ff @(posedge clk) begin
    if (\dut.fill && filled == followed) word[PART*\dut.part +: PART] <= \dut.filling ;
    if (rst || start) begin
      filled   <= '0;
      released <= '0;
      started  <= 1'b0;
      due      <= '0;
    end else begin
      filled   <= filled + NUMBER_BITS'(\dut.fill && \dut.part );
      released <= released + NUMBER_BITS'(release_word);
      due      <= due + (reserve ? reserve_words : '0) - COUNT_BITS'(\dut.fill && \dut.part );
      if (matmul_start) started <= 1'b1;
      if (matmul_start) first <= RESIDENT ? NUMBER_BITS'(command_offset) : released;
    end
    fresh       <= matmul_start;
    next_offset <= COUNT_BITS'(offset) + COUNT_BITS'(read);
    went_back   <= back;
    if (rst || start || matmul_start) seen <= '0;
    else if (read && COUNT_BITS'(offset) >= seen) seen <= COUNT_BITS'(offset) + 1'b1;
    reads <= rst ? '0 : {reads[1:0], read && first + NUMBER_BITS'(offset) == followed};

    if (!rst) begin
      // promises of the loader
      if (reserve) assume (reserve_words <= room);
      if (fill_valid) assume (due > COUNT_BITS'(\dut.fill && \dut.part ));
      // promises of the engine
      if (start) assume (!matmul_start && !read && !release_word);
      if (matmul_start) assume (!read && !release_word);
      if (matmul_start && RESIDENT) assume (int'(command_offset) <= int'(\dut.held ));
      if (started) assume (int'(offset) < WORDS);
      if (started && fresh) assume (offset == '0);
      else if (started && went_back) assume (COUNT_BITS'(offset) < seen);
      else if (started) assume (COUNT_BITS'(offset) == next_offset);
      if (back) assume (started && !matmul_start && (read || seen != '0));
      if (read) assume (started && available && int'(offset) >= int'(\dut.released ));
      if (release_word) assume (!RESIDENT && started && \dut.released < \dut.arrived );

      // room
      assert (!\dut.fill || due != '0);
      assert (int'(room) + int'(due) + int'(\dut.held ) + int'(\dut.write ) == WORDS);
      // content
      if (reads[2]) assert (read_data == word);
      if (started) begin
        assert (available == (!fresh && NUMBER_BITS'(offset) < written - first));
      end

      // the invariant
      assert (written - released == NUMBER_BITS'(\dut.held ) && int'(\dut.held ) <= WORDS);
      assert (int'(\dut.head ) < WORDS && int'(\dut.tail ) == end_place);
      if (RESIDENT) assert (released == '0 && \dut.head == '0 && \dut.released == '0);
      if (started) begin
        assert (int'(\dut.base ) < WORDS || RESIDENT);
        assert (\dut.base_around == {1'b0, \dut.base } - (INDEX_BITS + 1)'(WORDS));
        assert (int'(\dut.arrived ) ==
                (int'(NUMBER_BITS'(written - first)) < WORDS ?
                 int'(NUMBER_BITS'(written - first)) : WORDS));
        assert (int'(NUMBER_BITS'(written - first)) <= 2 * WORDS);
        assert (COUNT_BITS'(offset) <= \dut.arrived && seen <= \dut.arrived );
        if (RESIDENT) assert (first == NUMBER_BITS'(\dut.base ) && \dut.base <= \dut.held );
        else assert (base_place == int'(\dut.head ));
        assert (released - first == NUMBER_BITS'(\dut.released ) || RESIDENT);
        assert (\dut.released <= \dut.arrived );
      end
      if (\dut.part && filled == followed) assert (\dut.word [WIDTH-1-:PART] == word[PART-1:0]);
      if (\dut.write && written == followed) assert (\dut.word == word);
      if (behind < NUMBER_BITS'(\dut.held )) assert (words[WIDTH*place+:WIDTH] == word);

      cover (back && started && !read && available);
      cover (room == '0 && int'(\dut.held ) == WORDS && started);  // full
    end
  end

  if (RESIDENT) begin : g_resident
    always_ff @(posedge clk) if (!rst) cover (reads[2] && first != '0);
  end else begin : g_around
    always_ff @(posedge clk) begin
      if (!rst) begin
        cover (reads[2] && \dut.head < \dut.base );  // a command that goes on at the first word
        cover (read && release_word && \dut.write );
      end
    end
  end
endmodule
