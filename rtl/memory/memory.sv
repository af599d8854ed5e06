// A RAM with a write port and a read port, of rows as package `storage` cuts them: the first one here,
// the rest in a memory of its own behind it.
//
// All rows are read at the low bits of the address; the high bit follows the word and chooses behind
// the output registers, so that it costs no cycle. A word that is written in the cycle in which it is
// read comes out as it was before.
module memory #(
    parameter int WIDTH = 8,
    parameter int DEPTH = 16,
    parameter int MOST  = storage::ROWS  // rows
) (
    input  logic                                clk,
    input  logic                                write,
    input  logic [sizes::index_bits(DEPTH)-1:0] write_address,
    input  logic [                   WIDTH-1:0] write_data,
    input  logic [sizes::index_bits(DEPTH)-1:0] read_address,
    output logic [                   WIDTH-1:0] read_data
);
  localparam int ROW = storage::row(WIDTH, DEPTH, MOST);
  localparam int ADDRESS_BITS = sizes::index_bits(DEPTH);

  if (ROW >= DEPTH) begin : g_one
    memory_row #(
        .WIDTH(WIDTH),
        .DEPTH(DEPTH)
    ) u_row (
        .clk,
        .write,
        .write_address,
        .write_data,
        .read(1'b1),
        .read_address,
        .move(1'b1),
        .read_data
    );
  end else begin : g_rows
    localparam int ROW_BITS = sizes::index_bits(ROW);
    localparam int REST_BITS = sizes::index_bits(DEPTH - ROW);
    logic [WIDTH-1:0] row_data, rest_data;
    memory_row #(
        .WIDTH(WIDTH),
        .DEPTH(ROW)
    ) u_row (
        .clk,
        .write(write && !write_address[ROW_BITS]),
        .write_address(write_address[ROW_BITS-1:0]),
        .write_data,
        .read(1'b1),
        .read_address(read_address[ROW_BITS-1:0]),
        .move(1'b1),
        .read_data(row_data)
    );
    memory #(
        .WIDTH(WIDTH),
        .DEPTH(DEPTH - ROW),
        .MOST (MOST - 1)
    ) u_rest (
        .clk,
        .write(write && write_address[ROW_BITS]),
        .write_address(write_address[REST_BITS-1:0]),
        .write_data,
        .read_address(read_address[REST_BITS-1:0]),
        .read_data(rest_data)
    );

    localparam int SELECTED = storage::SELECTED_BITS;
    localparam int SELECTS = (WIDTH + SELECTED - 1) / SELECTED;
    logic rest_found;
    (* keep = "true" *) logic [SELECTS-1:0] rest_read;
    always_ff @(posedge clk) begin
      rest_found <= read_address[ROW_BITS];
      rest_read  <= {SELECTS{rest_found}};
    end
    for (genvar i = 0; i < SELECTS; ++i) begin : g_select
      localparam int FIRST = SELECTED * i;
      localparam int BITS = WIDTH - FIRST < SELECTED ? WIDTH - FIRST : SELECTED;
      assign read_data[FIRST+:BITS] =
          rest_read[i] ? rest_data[FIRST+:BITS] : row_data[FIRST+:BITS];
    end
  end

`ifndef SYNTHESIS
  always_ff @(posedge clk) if (write) assert (int'(write_address) < DEPTH);
`endif
endmodule
