// A RAM that is one row: LUTRAM, or block RAM of a power of two words, as package `storage` says.
//
// The second of the two registers of a read is a block's output register. A word that is written in
// the cycle in which it is read comes out as it was before.
module memory_row #(
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
  logic [WIDTH-1:0] found;
  always_ff @(posedge clk) read_data <= found;

  if (storage::on_luts(WIDTH, DEPTH)) begin : g_luts
    (* ram_style = "distributed" *) logic [WIDTH-1:0] words[DEPTH];
    always_ff @(posedge clk) begin
      if (write) words[write_address] <= write_data;
      found <= words[read_address];
    end
  end else begin : g_blocks
    localparam int WORDS = storage::power(DEPTH);
    localparam int COLUMN = storage::column(WIDTH, WORDS);
    for (genvar c = 0; c < (WIDTH + COLUMN - 1) / COLUMN; ++c) begin : g_column
      localparam int FIRST = COLUMN * c;
      localparam int BITS = WIDTH - FIRST < COLUMN ? WIDTH - FIRST : COLUMN;
      (* ram_style = "block" *) logic [BITS-1:0] words[WORDS];
      always_ff @(posedge clk) begin
        if (write) words[write_address] <= write_data[FIRST+:BITS];
        found[FIRST+:BITS] <= words[read_address];
      end
    end
  end
endmodule
