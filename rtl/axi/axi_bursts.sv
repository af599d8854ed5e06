// Cuts requests for consecutive beats into AXI bursts that end where a block of BURST beats ends.
//
// A block is no more than 4 KiB, so no burst crosses such a boundary; all bursts of a request but
// its first and last are whole blocks. `idle`: no request in hand. `drop` forgets the requests, but
// not the burst that is offered.
module axi_bursts #(
    parameter int DATA_BITS = vaqf_pkg::PORT_BITS,
    parameter int BURST = 64  // a power of two, 2 to 256
) (
    input  logic        clk,
    input  logic        rst,
    input  logic        request_valid,
    output logic        request_ready,
    input  logic        drop,
    input  logic [63:0] request_address,  // in bytes, of a whole beat
    input  logic [31:0] request_beats,    // 1 or more
    output logic        burst_valid,
    input  logic        burst_ready,
    output logic [63:0] burst_address,
    output logic [ 7:0] burst_length,     // beats - 1
    output logic        idle
);
  localparam int BYTE_BITS = $clog2(DATA_BITS / 8);
  localparam int BEAT_BITS = $clog2(BURST);

  logic cutting;
  // where the next burst starts: its block, and the beat in that
  logic [63-BYTE_BITS:BEAT_BITS] block;
  logic [BEAT_BITS-1:0] first;
  // where the request ends: blocks from here on, and the beat in the last of them
  logic [32:BEAT_BITS] blocks;
  logic [BEAT_BITS-1:0] last;

  logic take, move, ends;
  logic [BEAT_BITS-1:0] length;
  assign request_ready = !cutting;
  assign take = request_valid && request_ready;
  assign move = !burst_valid || burst_ready;
  assign ends = blocks == '0;
  assign length = (ends ? last : '1) - first;
  assign idle = !cutting && !burst_valid;

  always_ff @(posedge clk) begin
    if (take) begin
      {block, first} <= request_address[63:BYTE_BITS];
      {blocks, last} <= 33'(request_address[BYTE_BITS+:BEAT_BITS]) + 33'(request_beats) - 33'd1;
    end else if (move) begin
      block  <= block + 1'b1;
      first  <= '0;
      blocks <= blocks - 1'b1;
    end
    if (move) begin
      burst_address <= {block, first, {BYTE_BITS{1'b0}}};
      burst_length  <= 8'(length);
    end
    if (rst) begin
      cutting     <= 1'b0;
      burst_valid <= 1'b0;
    end else begin
      cutting <= !drop && (take || (cutting && !(move && ends)));
      if (move) burst_valid <= cutting && !drop;
    end
`ifndef SYNTHESIS
    if (!rst && !drop && take) begin
      assert (request_beats != '0 && request_address[BYTE_BITS-1:0] == '0);
    end
`endif
  end
endmodule
