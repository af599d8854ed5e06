// commands.sv: a reader gets the command it asked for, soon; the list is taken beat by beat.
//
// The lowest bit of one beat of one command, chosen by the solver, is followed. Readers hold their request until it is
// answered, and ask for commands that came.
module prove_commands #(
    localparam int READERS = 3,
    localparam int MOST = vaqf_pkg::MAX_COMMANDS,
    localparam int INDEX_BITS = sizes::index_bits(MOST),
    localparam int PORT = vaqf_pkg::PORT_BITS,
    localparam int BEATS = 32 * vaqf_pkg::COMMAND_WORDS / PORT,
    localparam int BEAT_BITS = $clog2(BEATS)
) (
    input  logic                          clk,
    input  logic                          rst,
    input  logic                          start,
    input  logic [                  31:0] n_commands,
    input  logic                          request_ready,
    input  logic                          in_valid,
    input  logic [              PORT-1:0] in_data,
    input  logic [           READERS-1:0] read_request,
    input  logic [READERS*INDEX_BITS-1:0] read_index,
    output logic                          request_valid,
    output logic                          in_ready
);
  logic filled, refused, stored;
  logic [INDEX_BITS-1:0] refused_index, stored_index;
  logic [31:0] request_beats;
  logic [READERS-1:0] read_answer;
  vaqf_pkg::command_t read_command;
  commands #(
      .READERS(READERS)
  ) dut (
      .clk,
      .rst,
      .start,
      .n_commands,
      .filled,
      .refused,
      .refused_index,
      .stored,
      .stored_index,
      .request_valid,
      .request_ready,
      .request_beats,
      .in_valid,
      .in_ready,
      .in_data,
      .read_request,
      .read_index,
      .read_answer,
      .read_command
  );
  follow_stream #(
      .WIDTH(32)
  ) u_request (
      .clk,
      .rst  (rst || start),
      .valid(request_valid),
      .ready(request_ready),
      .data (request_beats)
  );

  (* hierconn *) wire [BEAT_BITS-1:0] \dut.beat ;
  (* hierconn *) wire \dut.check , \dut.checking , \dut.u_check.busy ;
  localparam int LEFT_BITS = sizes::bits_for(vaqf_pkg::MAX_COMMANDS * BEATS);
  (* hierconn *) wire [LEFT_BITS-1:0] \dut.beats_left ;
  (* hierconn *) wire \dut.more ;
  (* hierconn *) wire [BEATS*PORT-1:0] \dut.beats ;
  (* hierconn *) wire [BEATS*PORT-1:0] \dut.u_memory.g_row[0].g_some.u_row.g_luts.words[0] ,
      \dut.u_memory.g_row[0].g_some.u_row.g_luts.words[1] ,
      \dut.u_memory.g_row[0].g_some.u_row.g_luts.words[2] ;
  logic [MOST*BEATS*PORT-1:0] all;
  logic [MOST*BEATS-1:0] words;
  logic [BEATS-1:0] coming, answer;
  assign all = {
    \dut.u_memory.g_row[0].g_some.u_row.g_luts.words[2] ,
    \dut.u_memory.g_row[0].g_some.u_row.g_luts.words[1] ,
    \dut.u_memory.g_row[0].g_some.u_row.g_luts.words[0]
  };
  for (genvar i = 0; i < MOST * BEATS; ++i) begin : g_word
    assign words[i] = all[PORT*i];
  end
  for (genvar i = 0; i < BEATS; ++i) begin : g_beat
    assign coming[i] = \dut.beats [PORT*i];
    assign answer[i] = read_command[PORT*i];
  end

  (* anyconst *) logic [INDEX_BITS-1:0] index;
  (* anyconst *) logic [BEAT_BITS-1:0] beat;
  logic content;
  logic [31:0] came;  // beats
  logic [31:0] kept;  // commands
  logic [31:0] total, number;
  logic listed, readable, take;
  assign take   = in_valid && in_ready;
  assign number = 32'(index) * BEATS + 32'(beat);
  assign total  = came + 32'(\dut.beats_left );

  logic [READERS-1:0] waits;
  logic [READERS*INDEX_BITS-1:0] indices;
  logic [3*READERS-1:0] ages;
  initial assume (rst && !\dut.u_check.busy );  // the memory knows no reset
  initial assume (MOST == 3 && int'(index) < MOST);
  always_ff @(posedge clk) begin
    waits   <= rst ? '0 : read_request & ~read_answer;
    indices <= read_index;
    if (rst) readable <= 1'b0;
    else if (start) readable <= 1'b0;
    else if (filled) readable <= 1'b1;
    if (rst) listed <= 1'b0;
    else if (start) listed <= 1'b1;
    if (start) kept <= '0;
    else if (stored) kept <= kept + 1;
    if (start) came <= '0;
    else if (take) came <= came + 1;
    if (take && came == number) content <= in_data[0];

    if (!rst) begin
      if (start) begin
        assume (n_commands != '0 && n_commands <= vaqf_pkg::MAX_COMMANDS);
        assume ((readable || !listed) && read_request == '0 && !filled);
        assume (waits == '0);
      end
      for (int i = 0; i < READERS; ++i) begin
        if (waits[i]) assume (read_request[i]);
        if (waits[i])
          assume (read_index[i*INDEX_BITS+:INDEX_BITS] == indices[i*INDEX_BITS+:INDEX_BITS]);
        if (read_request[i])
          assume (readable && 32'(read_index[i*INDEX_BITS+:INDEX_BITS]) * BEATS < total);
      end

      // filling
      assert (\dut.more == (\dut.beats_left != '0));
      if (listed) begin
        assert (in_ready == (\dut.beats_left != '0 && !\dut.check && !\dut.checking ));
        assert (total <= MOST * BEATS && came <= total && total % BEATS == 0 && total != '0);
        if (request_valid) assert (request_beats == total);
        if (filled || readable) assert (kept == total / BEATS);
        assert (\dut.beat == came[BEAT_BITS-1:0]);
        assert (kept == came / BEATS - 32'(\dut.check ) - 32'(\dut.checking ));
        assert (stored_index == kept[INDEX_BITS-1:0]);
        assert (!\dut.check || !\dut.checking );
        if (\dut.check || \dut.checking ) assert (came != '0 && \dut.beat == '0);
        // content
        if (came > number) begin
          if (kept > 32'(index)) begin
            assert (words[index*BEATS+beat] == content);
          end else begin
            assert (coming[BEATS-(came-number)] == content);
          end
        end
      end else begin
        assert (!readable && !filled && \dut.beats_left == '0);
        assert (!\dut.check && !\dut.checking );
      end
      assert (\dut.checking == \dut.u_check.busy );

      // reading
      assert ((read_answer & (read_answer - 1'b1)) == '0 && (read_answer & ~read_request) == '0);
      for (int i = 0; i < READERS; ++i) begin
        if (read_answer[i]) assert (waits[i]);  // not in the first cycle of a request
        if (read_answer[i] && read_index[i*INDEX_BITS+:INDEX_BITS] == index)
          assert (answer[beat] == content);
        // answers take `latency::MEMORY` cycles, and two others go first at most
        if (waits[i]) assert (ages[3*i+:3] < 3'(latency::MEMORY + READERS));
      end
      cover (read_answer[READERS-1] && ages[3*(READERS-1)+:3] == 3'(latency::MEMORY + 1));
      cover (readable && start);
    end
    for (int i = 0; i < READERS; ++i) begin
      ages[3*i+:3] <= rst || !read_request[i] || read_answer[i] ? '0 : ages[3*i+:3] + 1'b1;
    end
  end
endmodule

// rules are no part of this proof: it answers at will
module check_command (
    input  logic               clk,
    input  logic               rst,
    input  logic               start,
    input  vaqf_pkg::command_t command,
    output logic               done,
    output logic               good
);
  (* anyseq *) logic answers, verdict;
  logic busy;
  assign done = busy && answers;
  assign good = verdict;
  always_ff @(posedge clk) busy <= !rst && (start || (busy && !done));
endmodule
