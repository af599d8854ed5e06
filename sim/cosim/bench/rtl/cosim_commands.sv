// When commands run, as text: commands.txt has a line for every start and end of one.
// sim/cosim/cycles.py reads it.
module cosim_commands (
    input logic clk,
    input logic rst,
    input longint cycle,
    input logic matmul_start,
    input logic matmul_done,
    input logic [sizes::index_bits(vaqf_pkg::MAX_COMMANDS)-1:0] matmul_index,
    input logic [31:0] matmul_frame,
    input logic attention_start,
    input logic attention_done,
    input logic [sizes::index_bits(vaqf_pkg::MAX_COMMANDS)-1:0] attention_index,
    input logic [31:0] attention_frame
);
  int file;
  initial file = $fopen("commands.txt", "w");

  always @(posedge clk)
    if (!rst) begin
      if (matmul_start) $fdisplay(file, "start %0d %0d %0d", matmul_index, matmul_frame, cycle);
      if (matmul_done) $fdisplay(file, "done %0d %0d %0d", matmul_index, matmul_frame, cycle);
      if (attention_start)
        $fdisplay(file, "start %0d %0d %0d", attention_index, attention_frame, cycle);
      if (attention_done)
        $fdisplay(file, "done %0d %0d %0d", attention_index, attention_frame, cycle);
    end
endmodule

bind sequencer cosim_commands u_commands_trace (
    .clk,
    .rst,
    .cycle(cosim_bench.cycle),
    .matmul_start,
    .matmul_done,
    .matmul_index,
    .matmul_frame,
    .attention_start,
    .attention_done,
    .attention_index,
    .attention_frame
);
