// What layers compute, as text: with +layers=1, layers.txt has a line for every write of an activation
// and every normalized load of frame 0. sim/cosim/trace.py reads it.
module cosim_layers (
    input logic clk,
    input logic rst,

    input logic [sizes::index_bits(vaqf_pkg::MAX_COMMANDS)-1:0] matmul_index,
    input logic [31:0] matmul_frame,
    input logic [sizes::index_bits(vaqf_pkg::MAX_COMMANDS)-1:0] attention_index,
    input logic [31:0] attention_frame,

    input logic normalizes,
    input logic load_valid,
    input logic load_ready,
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
    input logic [sizes::index_bits(vaqf_pkg::BANKS)-1:0] run_write_first,
    input logic [vaqf_pkg::HEAD_WORDS*sizes::index_bits(
vaqf_pkg::ATTENTION_DEPTH
)-1:0] run_write_address,
    input logic [vaqf_pkg::HEAD_WORDS*vaqf_pkg::ACT_WORD-1:0] run_write_data
);
  int file;
  // verilator lint_off UNUSEDSIGNAL
  int asked;  // whether it is there is what counts
  // verilator lint_on UNUSEDSIGNAL
  logic wanted;
  initial begin
    wanted = $value$plusargs("layers=%d", asked) != 0;
    if (wanted) file = $fopen("layers.txt", "w");
  end

  always @(posedge clk)
    if (wanted && !rst) begin
      if (matmul_frame == '0) begin
        if (load_valid && load_ready && normalizes)
          $fdisplay(file, "load %0d 0 0 0 %h", matmul_index, load_data);
        if (residual_write)
          $fdisplay(
              file,
              "residual %0d 1 %0d %h %h",
              matmul_index,
              residual_first,
              residual_address,
              residual_data
          );
        if (hidden_write)
          $fdisplay(
              file,
              "hidden %0d 1 %0d %h %h",
              matmul_index,
              hidden_first,
              hidden_address,
              hidden_data
          );
        if (qkv_write != '0)
          $fdisplay(
              file,
              "qkv %0d %0d %0d %h %h",
              matmul_index,
              qkv_write,
              qkv_first,
              qkv_address,
              qkv_data
          );
      end
      if (attention_frame == '0 && run_write != '0)
        $fdisplay(
            file,
            "context %0d %0d %0d %h %h",
            attention_index,
            run_write,
            run_write_first,
            run_write_address,
            run_write_data
        );
    end
endmodule

bind datapath cosim_layers u_layers_trace (
    .clk,
    .rst,
    .matmul_index(matmul.index),
    .matmul_frame(matmul.frame),
    .attention_index(attention.index),
    .attention_frame(attention.frame),
    .normalizes,
    .load_valid,
    .load_ready,
    .load_data,
    .residual_write,
    .residual_first,
    .residual_address,
    .residual_data,
    .hidden_write,
    .hidden_first,
    .hidden_address,
    .hidden_data,
    .qkv_write,
    .qkv_first(qkv_first[sizes::index_bits(vaqf_pkg::BANKS)-1:0]),  // alike for all three
    .qkv_address,
    .qkv_data,
    .run_write,
    .run_write_first,
    .run_write_address,
    .run_write_data
);
