// What the accelerator does, as text: commands.txt has a line for every start and end of a command;
// with +layers=1, layers.txt has one for every write of an activation and every normalized load of
// frame 0. sim/cosim/trace.py reads both.
module cosim_trace (
    input logic   clk,
    input logic   rst,
    input longint cycle,

    input logic matmul_start,
    input logic matmul_done,
    input logic [31:0] matmul_index,
    input logic [31:0] matmul_frame,
    input logic [3:0] matmul_source,
    input logic attention_start,
    input logic attention_done,
    input logic [31:0] attention_index,
    input logic [31:0] attention_frame,

    input logic load,
    input logic [vaqf_pkg::LOAD_BITS-1:0] load_data,
    input logic residual_write,
    input logic [sizes::index_bits(vaqf_pkg::TOKENS)-1:0] residual_first,
    input logic [sizes::index_bits(vaqf_pkg::RESIDUAL_DEPTH)-1:0] residual_address,
    input logic [vaqf_pkg::TOKENS*vaqf_pkg::RESIDUAL_WORD-1:0] residual_data,
    input logic hidden_write,
    input logic [sizes::index_bits(vaqf_pkg::TOKENS)-1:0] hidden_first,
    input logic [sizes::index_bits(vaqf_pkg::HIDDEN_DEPTH)-1:0] hidden_address,
    input logic [vaqf_pkg::LOAD_BITS-1:0] hidden_data,
    input logic [2:0] qkv_write,
    input logic [sizes::index_bits(vaqf_pkg::BANKS)-1:0] qkv_first,
    input logic [vaqf_pkg::TOKENS*sizes::index_bits(vaqf_pkg::ATTENTION_DEPTH)-1:0] qkv_address,
    input logic [vaqf_pkg::LOAD_BITS-1:0] qkv_data,
    input logic [vaqf_pkg::HEAD_WORDS-1:0] run_write,
    input logic [sizes::index_bits(vaqf_pkg::BANKS)-1:0] run_first,
    input logic [vaqf_pkg::HEAD_WORDS*sizes::index_bits(
vaqf_pkg::ATTENTION_DEPTH
)-1:0] run_address,
    input logic [vaqf_pkg::HEAD_WORDS*vaqf_pkg::ACT_WORD-1:0] run_data
);
  int commands, layers;
  // verilator lint_off UNUSEDSIGNAL
  int asked;  // whether it is there is what counts
  // verilator lint_on UNUSEDSIGNAL
  logic with_layers, normalizes;
  initial begin
    with_layers = $value$plusargs("layers=%d", asked) != 0;
    commands = $fopen("commands.txt", "w");
    if (with_layers) layers = $fopen("layers.txt", "w");
  end
  assign normalizes = matmul_source == 4'(vaqf_pkg::SOURCE_NORM) ||
      matmul_source == 4'(vaqf_pkg::SOURCE_NORM_PREFIX);

  always @(posedge clk)
    if (!rst) begin
      if (matmul_start) $fdisplay(commands, "start %0d %0d %0d", matmul_index, matmul_frame, cycle);
      if (matmul_done) $fdisplay(commands, "done %0d %0d %0d", matmul_index, matmul_frame, cycle);
      if (attention_start)
        $fdisplay(commands, "start %0d %0d %0d", attention_index, attention_frame, cycle);
      if (attention_done)
        $fdisplay(commands, "done %0d %0d %0d", attention_index, attention_frame, cycle);
      if (with_layers && matmul_frame == '0) begin
        if (load && normalizes) $fdisplay(layers, "load %0d 0 0 0 %h", matmul_index, load_data);
        if (residual_write)
          $fdisplay(
              layers,
              "residual %0d 1 %0d %h %h",
              matmul_index,
              residual_first,
              residual_address,
              residual_data
          );
        if (hidden_write)
          $fdisplay(
              layers,
              "hidden %0d 1 %0d %h %h",
              matmul_index,
              hidden_first,
              hidden_address,
              hidden_data
          );
        if (qkv_write != '0)
          $fdisplay(
              layers,
              "qkv %0d %0d %0d %h %h",
              matmul_index,
              qkv_write,
              qkv_first,
              qkv_address,
              qkv_data
          );
      end
      if (with_layers && attention_frame == '0 && run_write != '0)
        $fdisplay(
            layers,
            "context %0d %0d %0d %h %h",
            attention_index,
            run_write,
            run_first,
            run_address,
            run_data
        );
    end
endmodule
