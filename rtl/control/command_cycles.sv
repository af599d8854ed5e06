// How many cycles each command took when it last ran, from its start to its done.
//
// A command that is stored in the list has 0 until it ran. `data` follows `index` by the latency of a
// memory. Both engines may be done in one cycle: then attention's number is kept a cycle later.
module command_cycles (
    input  logic                                                 clk,
    input  logic                                                 rst,
    input  logic                                                 stored,
    input  logic [sizes::index_bits(vaqf_pkg::MAX_COMMANDS)-1:0] stored_index,
    input  logic                                                 matmul_start,
    input  logic                                                 matmul_done,
    input  logic [sizes::index_bits(vaqf_pkg::MAX_COMMANDS)-1:0] matmul_index,
    input  logic                                                 attention_start,
    input  logic                                                 attention_done,
    input  logic [sizes::index_bits(vaqf_pkg::MAX_COMMANDS)-1:0] attention_index,
    input  logic [sizes::index_bits(vaqf_pkg::MAX_COMMANDS)-1:0] index,
    output logic [                                         31:0] data
);
  localparam int INDEX_BITS = sizes::index_bits(vaqf_pkg::MAX_COMMANDS);

  logic [31:0] matmul_cycles, attention_cycles, kept_cycles, cycles;
  logic [INDEX_BITS-1:0] kept_index, place;
  logic kept, write;  // attention's number waits to be written
  always_ff @(posedge clk) begin
    matmul_cycles <= matmul_start ? 32'd1 : matmul_cycles + 1'b1;
    attention_cycles <= attention_start ? 32'd1 : attention_cycles + 1'b1;
    if (attention_done) begin
      kept_cycles <= attention_cycles;
      kept_index  <= attention_index;
    end
    if (rst) kept <= 1'b0;
    else kept <= attention_done || (kept && matmul_done);
`ifndef SYNTHESIS
    if (!rst) begin
      assert (!(stored && (matmul_done || kept)));
      assert (!(attention_done && kept));
    end
`endif
  end

  always_comb begin
    write  = stored || kept;
    place  = stored ? stored_index : kept_index;
    cycles = stored ? '0 : kept_cycles;
    if (matmul_done) begin
      write  = 1'b1;
      place  = matmul_index;
      cycles = matmul_cycles;
    end
  end
  memory #(
      .WIDTH(32),
      .DEPTH(vaqf_pkg::MAX_COMMANDS)
  ) u_memory (
      .clk,
      .write,
      .write_address(place),
      .write_data(cycles),
      .read_address(index),
      .read_data(data)
  );
endmodule
