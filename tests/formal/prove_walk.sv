// walk.sv: asks until it is answered, shows a command that has a frame until it is taken, in order.
module prove_walk (
    input  logic                                                clk,
    input  logic                                                rst,
    input  logic                                                start,
    input  logic               [                          31:0] n_frames,
    input  logic               [                          31:0] n_commands,
    input  logic                                                list_answer,
    input  vaqf_pkg::command_t                                  list_command,
    input  logic                                                next,
    output logic                                                list_request,
    output logic                                                valid
);
  localparam int INDEX_BITS = sizes::index_bits(vaqf_pkg::MAX_COMMANDS);
  logic [INDEX_BITS-1:0] list_index, index;
  logic [31:0] frame;
  logic new_step, ended;
  vaqf_pkg::command_t command;
  walk dut (
      .clk,
      .rst,
      .start,
      .n_frames,
      .n_commands,
      .list_request,
      .list_index,
      .list_answer,
      .list_command,
      .valid,
      .next,
      .command,
      .index,
      .frame,
      .new_step,
      .ended
  );
  follow_stream #(
      .WIDTH(INDEX_BITS)
  ) u_list (
      .clk,
      .rst,
      .valid(list_request),
      .ready(list_answer),
      .data (list_index)
  );
  follow_stream #(
      .WIDTH(512 + INDEX_BITS + 33)
  ) u_shown (
      .clk,
      .rst,
      .valid,
      .ready(next),
      .data ({command, index, frame, new_step})
  );

  // one command of the list: whenever it is answered it has the same offset
  (* anyconst *) logic [INDEX_BITS-1:0] followed;
  (* anyconst *) logic signed [33:0] offset;
  (* hierconn *) wire signed [33:0] \dut.first_frame ;
  (* hierconn *) wire \dut.started , \dut.goes_on ;
  logic [31:0] frames, commands;
  logic ran, asked;
  logic signed [33:0] wanted;
  assign wanted = \dut.first_frame + offset;

  initial assume (rst);
  always_ff @(posedge clk) begin
    frames <= n_frames;
    commands <= n_commands;
    ran <= !rst && (ran || valid);
    asked <= !rst && list_request && !list_answer;
    if (!rst) begin
      if (start) assume (ended && n_commands != '0 && n_commands <= vaqf_pkg::MAX_COMMANDS);
      if (start) assume (n_frames != '0);
      if (!ended) assume (n_frames == frames && n_commands == commands);
      if (next) assume (valid);
      if (list_answer) assume (list_request && asked);
      if (list_answer && list_index == followed) begin
        assume (34'($signed(list_command.frame_offset)) == offset);
      end
      if (!ended) begin
        assert (32'(index) < n_commands && n_commands <= vaqf_pkg::MAX_COMMANDS);
        assert (\dut.started || (\dut.first_frame >= 0 &&
                                 \dut.first_frame <= $signed({2'b00, n_frames}) + 1));
      end
      if (\dut.started || \dut.goes_on ) assert (ended || (list_request && !asked));
      if (valid) assert (frame < n_frames);
      if (valid && index == followed) assert (34'({2'b00, frame}) == wanted);
      cover (valid && frame == 32'd1 && index == INDEX_BITS'(1) && new_step);
      cover (ended && ran);
    end
  end
endmodule
