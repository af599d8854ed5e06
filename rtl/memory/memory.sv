// A RAM with a write port and a read port: block RAM with its output register, or what tools prefer.
//
// A word that is written in the cycle in which it is read comes out as it was before.
module memory #(
    parameter int WIDTH = 8,
    parameter int DEPTH = 16
) (
    input  logic                                clk,
    input  logic                                write,
    input  logic [sizes::index_bits(DEPTH)-1:0] write_address,
    input  logic [                   WIDTH-1:0] write_data,
    input  logic [sizes::index_bits(DEPTH)-1:0] read_address,
    output logic [                   WIDTH-1:0] read_data
);
  logic [WIDTH-1:0] words [DEPTH];
  logic [WIDTH-1:0] found;

  always_ff @(posedge clk) begin
    if (write) begin
      words[write_address] <= write_data;
`ifndef SYNTHESIS
      assert (int'(write_address) < DEPTH);
`endif
    end
    found     <= words[read_address];
    read_data <= found;
  end
endmodule
