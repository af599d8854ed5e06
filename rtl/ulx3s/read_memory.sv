// A memory behind an AXI4 read port, in block RAM: a file fills it, and a host that writes words.
//
// Bursts are answered in order, one beat a cycle, three cycles behind the address; beats of one that
// leaves the memory come with an error. A host's words become a line of WIDTH bits with the last of
// them, so it writes whole lines, from their first word on.
module read_memory #(
    parameter int WIDTH = 128,  // of a beat, a power of two of 64 bits or more
    parameter int DEPTH = 64,  // lines
    parameter logic [31:0] BASE = '0,  // of a multiple of a power of two that holds the memory
    // of no type, for Yosys knows none of strings; for $readmemh, a line a line
    parameter FILE = ""  // verilog_lint: waive explicit-parameter-storage-type
) (
    input logic clk,
    input logic rst,

    input logic        write,
    input logic [31:0] write_address,  // in bytes, from BASE on
    input logic [31:0] write_data,

    input  logic             arvalid,
    output logic             arready,
    input  logic [     63:0] araddr,
    input  logic [      7:0] arlen,
    output logic             rvalid,
    input  logic             rready,
    output logic [WIDTH-1:0] rdata,
    output logic [      1:0] rresp,
    output logic             rlast
);
  localparam int BYTE_BITS = $clog2(WIDTH / 8);
  localparam int LINE_BITS = $clog2(DEPTH);
  localparam int ABOVE = BYTE_BITS + LINE_BITS;

  logic [WIDTH-1:0] lines[DEPTH];
  if (FILE != "") begin : g_filled
    initial $readmemh(FILE, lines);
  end

  // words of a line before its last
  logic [WIDTH-33:0] gathered;
  logic ends;
  assign ends = write_address[BYTE_BITS-1:2] == '1;
  always @(posedge clk) begin  // not always_ff, in which a file may not fill what is written
    if (write) gathered <= (WIDTH - 32)'({write_data, gathered} >> 32);
    if (write && ends && write_address[31:ABOVE] == '0)
      lines[write_address[ABOVE-1:BYTE_BITS]] <= {write_data, gathered};
`ifndef SYNTHESIS
    if (!rst && write) assert (write_address < 32'(DEPTH * WIDTH / 8));
`endif
  end

  // a burst's beats: read, in the memory's register, at the port
  logic busy, found_valid, moves, last, found_last, outside, found_outside;
  logic [LINE_BITS-1:0] line;
  logic [7:0] left;
  logic [WIDTH-1:0] found;
  logic [LINE_BITS:0] first;
  assign arready = !busy;
  assign moves = !rvalid || rready;
  assign last = left == '0;
  assign first = {1'b0, araddr[ABOVE-1:BYTE_BITS]};

  always_ff @(posedge clk) begin
    if (moves) begin
      found <= lines[line];
      {found_last, found_outside} <= {last, outside};
      rdata <= found;
      rlast <= found_last;
      rresp <= {found_outside, 1'b0};
    end
    if (arvalid && arready) begin
      line <= first[LINE_BITS-1:0];
      left <= arlen;
      outside <= araddr[63:ABOVE] != {32'b0, BASE[31:ABOVE]} ||
                 32'(first) + 32'(arlen) >= 32'(DEPTH);
    end else if (moves) begin
      line <= line + 1'b1;
      left <= left - 1'b1;
    end
    if (rst) begin
      busy        <= 1'b0;
      found_valid <= 1'b0;
      rvalid      <= 1'b0;
    end else begin
      if (arvalid && arready) busy <= 1'b1;
      else if (moves && last) busy <= 1'b0;
      if (moves) {rvalid, found_valid} <= {found_valid, busy};
    end
  end

  logic unused;
  assign unused = &{1'b0, araddr[BYTE_BITS-1:0], write_address[1:0]};
endmodule
