// A memory behind an AXI4 write port, in block RAM, from which a host reads words.
//
// One burst at a time: its address, its beats, its response, an error if it leaves the memory. All
// bytes of a beat are written. A word comes three cycles behind its address.
module write_memory #(
    parameter int WIDTH = 128,  // of a beat, a power of two of 64 bits or more
    parameter int DEPTH = 64,  // lines
    parameter logic [31:0] BASE = '0  // of a multiple of a power of two that holds the memory
) (
    input logic clk,
    input logic rst,

    input  logic [31:0] read_address,  // in bytes, from BASE on
    output logic [31:0] read_data,

    input  logic               awvalid,
    output logic               awready,
    input  logic [       63:0] awaddr,
    input  logic [        7:0] awlen,
    input  logic               wvalid,
    output logic               wready,
    input  logic [  WIDTH-1:0] wdata,
    input  logic [WIDTH/8-1:0] wstrb,
    input  logic               wlast,
    output logic               bvalid,
    input  logic               bready,
    output logic [        1:0] bresp
);
  localparam int BYTE_BITS = $clog2(WIDTH / 8);
  localparam int LINE_BITS = $clog2(DEPTH);
  localparam int ABOVE = BYTE_BITS + LINE_BITS;

  logic takes, ends, outside;
  logic [LINE_BITS-1:0] line;
  logic [  LINE_BITS:0] first;
  assign takes = wvalid && wready;
  assign ends  = takes && wlast;
  assign first = {1'b0, awaddr[ABOVE-1:BYTE_BITS]};
  assign bresp = {outside, 1'b0};

  logic [WIDTH-1:0] found;
  memory #(
      .WIDTH(WIDTH),
      .DEPTH(DEPTH)
  ) u_lines (
      .clk,
      .write(takes && !outside),
      .write_address(line),
      .write_data(wdata),
      .read_address(read_address[ABOVE-1:BYTE_BITS]),
      .read_data(found)
  );

  always_ff @(posedge clk) begin
    read_data <= found[32*read_address[BYTE_BITS-1:2]+:32];
    if (awvalid && awready) begin
      line <= first[LINE_BITS-1:0];
      outside <= awaddr[63:ABOVE] != {32'b0, BASE[31:ABOVE]} ||
                 32'(first) + 32'(awlen) >= 32'(DEPTH);
    end else if (takes) line <= line + 1'b1;
    if (rst) begin
      awready <= 1'b1;
      wready  <= 1'b0;
      bvalid  <= 1'b0;
    end else begin
      if (awvalid && awready) awready <= 1'b0;
      else if (bvalid && bready) awready <= 1'b1;
      if (awvalid && awready) wready <= 1'b1;
      else if (ends) wready <= 1'b0;
      if (ends) bvalid <= 1'b1;
      else if (bready) bvalid <= 1'b0;
    end
`ifndef SYNTHESIS
    if (!rst && takes) assert (wstrb == '1);
`endif
  end

  logic unused;
  assign unused = &{1'b0, awaddr[BYTE_BITS-1:0], read_address[31:ABOVE], read_address[1:0], wstrb};
endmodule
