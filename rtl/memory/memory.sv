// A RAM with a write port and a read port: rows behind each other, as package `storage` cuts them.
//
// All rows are read at the low bits of the address. The high ones follow the word and choose among
// the rows behind their output registers, so that it costs no cycle. A word that is written in the
// cycle in which it is read comes out as it was before.
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
  localparam int ADDRESS_BITS = sizes::index_bits(DEPTH);
  localparam int SELECTED = storage::SELECTED_BITS;
  localparam int SELECTS = (WIDTH + SELECTED - 1) / SELECTED;

  for (genvar r = 0; r < storage::ROWS; ++r) begin : g_row
    // all rows but the last have a power of two words, no fewer than lie behind them: an address is
    // START or more where all bits of START are set
    localparam int START = storage::start(WIDTH, DEPTH, r);
    localparam int END = storage::start(WIDTH, DEPTH, r + 1);
    logic [WIDTH-1:0] chosen;  // of this row and those in front of it
    if (START >= DEPTH) begin : g_none
      assign chosen = g_row[r-1].chosen;
    end else begin : g_some
      localparam int WORDS = END < DEPTH ? END - START : DEPTH - START;
      localparam int ROW_BITS = sizes::index_bits(WORDS);
      logic here;
      if (END < DEPTH) begin : g_first
        assign here = (~write_address & ADDRESS_BITS'(START)) == '0 && !write_address[ROW_BITS];
      end else begin : g_last
        assign here = (~write_address & ADDRESS_BITS'(START)) == '0;
      end
      logic [WIDTH-1:0] found;
      memory_row #(
          .WIDTH(WIDTH),
          .DEPTH(WORDS)
      ) u_row (
          .clk,
          .write(write && here),
          .write_address(write_address[ROW_BITS-1:0]),
          .write_data,
          .read_address(read_address[ROW_BITS-1:0]),
          .read_data(found)
      );
      if (r == 0) begin : g_alone
        assign chosen = found;
      end else begin : g_choice
        logic behind;
        (* keep = "true" *) logic [SELECTS-1:0] select;
        always_ff @(posedge clk) begin
          behind <= (~read_address & ADDRESS_BITS'(START)) == '0;
          select <= {SELECTS{behind}};
        end
        for (genvar i = 0; i < SELECTS; ++i) begin : g_select
          localparam int FIRST = SELECTED * i;
          localparam int BITS = WIDTH - FIRST < SELECTED ? WIDTH - FIRST : SELECTED;
          assign chosen[FIRST+:BITS] =
              select[i] ? found[FIRST+:BITS] : g_row[r-1].chosen[FIRST+:BITS];
        end
      end
    end
  end
  assign read_data = g_row[storage::ROWS-1].chosen;

`ifndef SYNTHESIS
  always_ff @(posedge clk) if (write) assert (int'(write_address) < DEPTH);
`endif
endmodule
