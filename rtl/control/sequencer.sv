// Dispatches the commands of a run to the two engines, in their order and step by step.
//
// A command begins when its engine is free, the loader has its parameters (`..._loaded`, a pulse for
// each command of that engine) and, if it is the first of a step, both engines are done. Commands
// wait for those before them in the list: a step's attention stands first. `parity`: which half of
// the buffers the loader filled for it. `start` comes when the list may be read.
module sequencer (
    input logic clk,
    input logic rst,
    input logic start,
    input logic [31:0] n_frames,
    input logic [31:0] n_commands,
    output logic run_done,
    output logic list_request,
    output logic [sizes::index_bits(vaqf_pkg::MAX_COMMANDS)-1:0] list_index,
    input logic list_answer,
    input vaqf_pkg::command_t list_command,
    // the binary engine and what is around it
    input logic matmul_loaded,
    output logic matmul_start,
    output logic matmul_busy,  // from the start to the done
    output vaqf_pkg::command_t matmul_command,
    output logic [sizes::index_bits(vaqf_pkg::MAX_COMMANDS)-1:0] matmul_index,
    output logic [31:0] matmul_frame,
    output logic matmul_slot,
    output logic matmul_parity,
    input logic matmul_done,
    // the attention engine
    input logic attention_loaded,
    output logic attention_start,
    output logic attention_busy,
    output vaqf_pkg::command_t attention_command,
    output logic [sizes::index_bits(vaqf_pkg::MAX_COMMANDS)-1:0] attention_index,
    output logic [31:0] attention_frame,
    output logic attention_slot,
    output logic attention_parity,
    input logic attention_done
);
  logic valid, next, new_step, ended;
  vaqf_pkg::command_t command;
  logic [sizes::index_bits(vaqf_pkg::MAX_COMMANDS)-1:0] index;
  logic [31:0] frame;
  walk u_walk (
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

  logic running, begin_matmul, begin_attention;
  logic matmul_begins, attention_begins;  // a cycle later
  logic is_attention;  // before the walk shows the command
  // commands with parameters that did not begin yet; there are two halves of buffers
  logic [1:0] matmuls_ready, attentions_ready, matmuls_then, attentions_then;
  // in registers, as what begins waits for them: an engine is free and has parameters; one is not
  // free
  logic matmul_can, attention_can, some_busy;
  logic matmul_busy_then, attention_busy_then;
  assign begin_matmul = valid && !(new_step && some_busy) && !is_attention && matmul_can;
  assign begin_attention = valid && !(new_step && some_busy) && is_attention && attention_can;
  assign matmuls_then = matmuls_ready + 2'(matmul_loaded) - 2'(begin_matmul);
  assign attentions_then = attentions_ready + 2'(attention_loaded) - 2'(begin_attention);
  assign matmul_busy_then = begin_matmul || (matmul_busy && !matmul_done);
  assign attention_busy_then = begin_attention || (attention_busy && !attention_done);
  assign matmul_slot = vaqf_pkg::FRAMES_IN_FLIGHT == 2 && matmul_frame[0];
  assign attention_slot = vaqf_pkg::FRAMES_IN_FLIGHT == 2 && attention_frame[0];

  always_ff @(posedge clk) begin
    is_attention <= command.opcode == 4'(vaqf_pkg::OP_ATTENTION);
    // a cycle after it was decided: a command has many bits
    if (matmul_begins) matmul_command <= command;
    if (attention_begins) attention_command <= command;
    if (begin_matmul) matmul_frame <= frame;
    if (begin_attention) begin
      attention_index <= index;
      attention_frame <= frame;
    end
    if (rst || start) begin
      running          <= start && !rst;
      run_done         <= 1'b0;
      next             <= 1'b0;
      matmul_begins    <= 1'b0;
      matmul_start     <= 1'b0;
      matmul_index     <= '0;
      matmul_parity    <= 1'b1;  // 0 for the first
      matmuls_ready    <= '0;
      matmul_can       <= 1'b0;
      matmul_busy      <= 1'b0;
      some_busy        <= 1'b0;
      attention_begins <= 1'b0;
      attention_start  <= 1'b0;
      attention_parity <= 1'b1;
      attentions_ready <= '0;
      attention_can    <= 1'b0;
      attention_busy   <= 1'b0;
    end else begin
      // the walk shows a command for a cycle more: its engine is not free then
      next          <= begin_matmul || begin_attention;
      matmul_begins <= begin_matmul;
      matmul_start  <= matmul_begins;
      if (begin_matmul) matmul_index <= index;
      matmul_parity    <= matmul_parity ^ begin_matmul;
      matmuls_ready    <= matmuls_then;
      matmul_busy      <= matmul_busy_then;
      matmul_can       <= matmuls_then != '0 && !matmul_busy_then;
      attention_begins <= begin_attention;
      attention_start  <= attention_begins;
      attention_parity <= attention_parity ^ begin_attention;
      attentions_ready <= attentions_then;
      attention_busy   <= attention_busy_then;
      attention_can    <= attentions_then != '0 && !attention_busy_then;
      some_busy        <= matmul_busy_then || attention_busy_then;
      run_done         <= running && ended && !some_busy;
      if (ended && !some_busy) running <= 1'b0;
`ifndef SYNTHESIS
      assert (matmul_can == (matmuls_ready != '0 && !matmul_busy));
      assert (attention_can == (attentions_ready != '0 && !attention_busy));
      assert (some_busy == (matmul_busy || attention_busy));
      assert (!valid || is_attention == (command.opcode == 4'(vaqf_pkg::OP_ATTENTION)));
      assert (!matmul_done || matmul_busy);
      assert (!attention_done || attention_busy);
      assert (!matmul_loaded || matmuls_ready != 2'd2);
      assert (!attention_loaded || attentions_ready != 2'd2);
      assert (!(matmul_busy && attention_busy && matmul_slot == attention_slot));
      assert (!valid || is_attention || command.opcode == 4'(vaqf_pkg::OP_MATMUL));
`endif
    end
`ifndef SYNTHESIS
    if (!rst && start) assert (!running);
`endif
  end
endmodule
