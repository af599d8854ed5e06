// AXI4 read master: requests for consecutive beats in, their data out as one stream.
//
// Bursts are asked for as long as the memory here has room for a whole one, so the beats of all of
// them can be taken as they come, and none waits for the data of another. Beats that come with an
// error are passed on; `error` keeps the response of the first until `clear_error`. `idle`: every
// beat asked for has left. All transfers share one ID, so there are no ID ports. A reset while beats
// are on their way must reset the other side too; `flush` ends a run without one: no more bursts are
// asked for but the one that is offered, and what is on its way is swallowed, whether the other side
// takes it, as it may in the cycle before its reset, or not. It may end when `idle`. `moved`: the other
// side took or gave something.
module axi_read #(
    parameter int DATA_BITS = vaqf_pkg::PORT_BITS,
    parameter int BURST = 64,
    parameter int DEPTH = sizes::READ_BEATS  // beats asked for or waiting here, BURST or more
) (
    input  logic                 clk,
    input  logic                 rst,
    input  logic                 request_valid,
    output logic                 request_ready,
    input  logic [         63:0] request_address,  // in bytes, of a whole beat
    input  logic [         31:0] request_beats,    // 1 or more
    output logic                 data_valid,
    input  logic                 data_ready,
    output logic [DATA_BITS-1:0] data,
    input  logic                 flush,
    input  logic                 clear_error,
    output logic [          1:0] error,
    output logic                 idle,
    output logic                 moved,

    output logic                 arvalid,
    input  logic                 arready,
    output logic [         63:0] araddr,
    output logic [          7:0] arlen,
    output logic [          2:0] arsize,
    output logic [          1:0] arburst,
    output logic [          3:0] arcache,
    output logic [          2:0] arprot,
    input  logic                 rvalid,
    output logic                 rready,
    input  logic [DATA_BITS-1:0] rdata,
    input  logic [          1:0] rresp,
    input  logic                 rlast
);
  localparam int ROOM_BITS = sizes::bits_for(DEPTH);

  logic burst_valid, bursts_idle, asks, leaves, stores, stored;
  axi_bursts #(
      .DATA_BITS(DATA_BITS),
      .BURST(BURST)
  ) u_bursts (
      .clk,
      .rst,
      .request_valid,
      .request_ready,
      .drop(flush),
      .request_address,
      .request_beats,
      .burst_valid,
      .burst_ready(asks),
      .burst_address(araddr),
      .burst_length(arlen),
      .idle(bursts_idle)
  );

  fifo #(
      .WIDTH(DATA_BITS),
      .DEPTH(DEPTH),
      .DEEP (1'b1)
  ) u_fifo (
      .clk,
      .rst,
      .in_valid (rvalid),
      .in_ready (stores),
      .in_data  (rdata),
      .out_valid(stored),
      .out_ready(data_ready || flush),
      .out_data (data)
  );

  logic [ROOM_BITS-1:0] room;  // words that no burst has a claim to
  assign arvalid = burst_valid && room >= ROOM_BITS'(BURST);
  assign arsize = 3'($clog2(DATA_BITS / 8));
  assign arburst = 2'b01;  // consecutive addresses
  assign arcache = 4'b0011;  // may be merged and split on its way
  assign arprot = 3'b000;
  assign rready = 1'b1;
  assign asks = arvalid && arready;
  assign data_valid = stored;
  assign leaves = stored && (data_ready || flush);
  assign moved = asks || rvalid;
  assign idle = bursts_idle && room == ROOM_BITS'(DEPTH);

  always_ff @(posedge clk) begin
    if (rst) room <= ROOM_BITS'(DEPTH);
    else room <= room - (asks ? ROOM_BITS'(arlen) + 1'b1 : '0) + ROOM_BITS'(leaves);
    if (rst || clear_error) error <= '0;
    else if (rvalid && rresp[1] && error == '0) error <= rresp;
  end

  logic waits;
  logic [71:0] shown;
  always_ff @(posedge clk) begin
    waits <= !rst && arvalid && !arready;
    shown <= {araddr, arlen};
`ifndef SYNTHESIS
    if (!rst) begin
      if (waits) assert (arvalid && {araddr, arlen} == shown);
      if (rvalid) assert (stores);
      if (leaves) assert (room != ROOM_BITS'(DEPTH));  // nobody asked for it
    end
`endif
  end

  logic unused;
  assign unused = &{1'b0, rlast};
endmodule
