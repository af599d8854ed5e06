// AXI4 write master: requests for consecutive beats, and their data as one stream that keeps its own
// pace.
//
// A burst begins when all of its data is here, so it holds nobody up. `idle`: every burst has its
// response, what was written is in memory. `error` keeps the first response that reports one until
// `clear_error`. All transfers share one ID, so there are no ID ports. A reset while a burst has no
// response must reset the other side too; `flush` ends a run without one: bursts that have begun get
// their data, which is here, and their responses; everything else is dropped. It may end when `idle`.
// `moved`: the other side took or gave something.
module axi_write #(
    parameter int DATA_BITS = vaqf_pkg::PORT_BITS,
    parameter int BURST = 16
) (
    input  logic                 clk,
    input  logic                 rst,
    input  logic                 request_valid,
    output logic                 request_ready,
    input  logic [         63:0] request_address,  // in bytes, of a whole beat
    input  logic [         31:0] request_beats,    // 1 or more
    input  logic                 data_valid,
    output logic                 data_ready,
    input  logic [DATA_BITS-1:0] data,
    input  logic                 flush,
    input  logic                 clear_error,
    output logic [          1:0] error,
    output logic                 idle,
    output logic                 moved,

    output logic                   awvalid,
    input  logic                   awready,
    output logic [           63:0] awaddr,
    output logic [            7:0] awlen,
    output logic [            2:0] awsize,
    output logic [            1:0] awburst,
    output logic [            3:0] awcache,
    output logic [            2:0] awprot,
    output logic                   wvalid,
    input  logic                   wready,
    output logic [  DATA_BITS-1:0] wdata,
    output logic [DATA_BITS/8-1:0] wstrb,
    output logic                   wlast,
    input  logic                   bvalid,
    output logic                   bready,
    input  logic [            1:0] bresp
);
  localparam int DEPTH = 2 * BURST;
  localparam int COUNT_BITS = sizes::bits_for(DEPTH);
  localparam int PENDING_BITS = 4;

  logic burst_valid, bursts_idle, forgets;
  axi_bursts #(
      .DATA_BITS(DATA_BITS),
      .BURST(BURST)
  ) u_bursts (
      .clk,
      .rst(rst || forgets),
      .request_valid,
      .request_ready,
      .drop(flush),
      .request_address,
      .request_beats,
      .burst_valid,
      .burst_ready(awvalid && awready),
      .burst_address(awaddr),
      .burst_length(awlen),
      .idle(bursts_idle)
  );

  logic stored;
  fifo #(
      .WIDTH(DATA_BITS),
      .DEPTH(DEPTH)
  ) u_fifo (
      .clk,
      .rst(rst || forgets),
      .in_valid(data_valid),
      .in_ready(data_ready),
      .in_data(data),
      .out_valid(stored),
      .out_ready(wvalid && wready),
      .out_data(wdata)
  );

  logic [COUNT_BITS-1:0] buffered;  // words here that are not of a burst that has begun
  logic [PENDING_BITS-1:0] pending;  // bursts without a response
  logic [7:0] left;  // beats behind this one
  logic begins;
  // address and data are offered together: a slave may wait for either before it takes the other
  assign begins = burst_valid && !awvalid && !wvalid && buffered > COUNT_BITS'(awlen) &&
                  pending != '1 && !flush;
  assign forgets = flush && !awvalid && !wvalid;
  assign awsize = 3'($clog2(DATA_BITS / 8));
  assign awburst = 2'b01;  // consecutive addresses
  assign awcache = 4'b0011;  // may be merged and split on its way
  assign awprot = 3'b000;
  assign wstrb = '1;
  assign wlast = left == '0;
  assign bready = 1'b1;
  assign idle = bursts_idle && pending == '0;
  assign moved = (awvalid && awready) || (wvalid && wready) || bvalid;

  always_ff @(posedge clk) begin
    if (begins) left <= awlen;
    else if (wvalid && wready) left <= left - 1'b1;
    if (rst) begin
      awvalid  <= 1'b0;
      wvalid   <= 1'b0;
      buffered <= '0;
      pending  <= '0;
    end else begin
      awvalid <= begins || (awvalid && !awready);
      wvalid  <= begins || (wvalid && !(wready && wlast));
      if (forgets) buffered <= '0;
      else
        buffered <= buffered + COUNT_BITS'(data_valid && data_ready) -
                    (begins ? COUNT_BITS'(awlen) + 1'b1 : '0);
      pending <= pending + PENDING_BITS'(begins) - PENDING_BITS'(bvalid);
    end
    if (rst || clear_error) error <= '0;
    else if (bvalid && bresp[1] && error == '0) error <= bresp;
  end

  logic address_waits, data_waits;
  logic [71:0] address_shown;
  logic [DATA_BITS:0] data_shown;
  always_ff @(posedge clk) begin
    address_waits <= !rst && awvalid && !awready;
    address_shown <= {awaddr, awlen};
    data_waits <= !rst && wvalid && !wready;
    data_shown <= {wdata, wlast};
`ifndef SYNTHESIS
    if (!rst) begin
      if (address_waits) assert (awvalid && {awaddr, awlen} == address_shown);
      if (data_waits) assert (wvalid && {wdata, wlast} == data_shown);
      if (wvalid) assert (stored);
      if (bvalid) assert (pending != '0);
    end
`endif
  end
endmodule
