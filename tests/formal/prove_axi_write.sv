// axi_write.sv: address and data of a burst belong together, wait unchanged and end with `wlast`.
//
// The memory answers a burst in any cycle behind the last of its address and data.
module prove_axi_write #(
    parameter  int BURST = 2,
    localparam int DATA_BITS = 16,
    localparam int DEPTH = 2 * BURST,
      localparam int COUNT_BITS = $clog2(DEPTH + 1)
) (
    input  logic                   clk,
    input  logic                   rst,
    input  logic                   request_valid,
    input  logic [           63:0] request_address,
    input  logic [           31:0] request_beats,
    input  logic                   data_valid,
    input  logic [  DATA_BITS-1:0] data,
    input  logic                   flush,
    input  logic                   clear_error,
    input  logic                   awready,
    input  logic                   wready,
    input  logic                   bvalid,
    input  logic [            1:0] bresp,
    output logic                   request_ready,
    output logic                   data_ready,
    output logic                   awvalid,
    output logic                   wvalid,
    output logic                   bready
);
  logic [1:0] error, awburst;
  logic moved, idle, wlast;
  logic [63:0] awaddr;
  logic [7:0] awlen;
  logic [2:0] awsize, awprot;
  logic [3:0] awcache;
  logic [DATA_BITS-1:0] wdata;
  logic [DATA_BITS/8-1:0] wstrb;
  axi_write #(
      .DATA_BITS(DATA_BITS),
      .BURST(BURST)
  ) dut (
      .clk,
      .rst,
      .request_valid,
      .request_ready,
      .request_address,
      .request_beats,
      .data_valid,
      .data_ready,
      .data,
      .flush,
      .clear_error,
      .error,
      .idle,
      .moved,
      .awvalid,
      .awready,
      .awaddr,
      .awlen,
      .awsize,
      .awburst,
      .awcache,
      .awprot,
      .wvalid,
      .wready,
      .wdata,
      .wstrb,
      .wlast,
      .bvalid,
      .bready,
      .bresp
  );

  (* hierconn *) wire \dut.u_fifo.fetched ;
  (* hierconn *) wire [DATA_BITS-1:0] \dut.u_fifo.found ;
  (* hierconn *) wire \dut.burst_valid , \dut.bursts_idle ;
  (* hierconn *) wire [DATA_BITS-1:0] \dut.u_fifo.memory[0] , \dut.u_fifo.memory[1] ,
      \dut.u_fifo.memory[2] , \dut.u_fifo.memory[3] ;
  (* hierconn *) wire [$clog2(DEPTH)-1:0] \dut.u_fifo.write , \dut.u_fifo.read ;
  (* hierconn *) wire [COUNT_BITS-1:0] \dut.u_fifo.stored , \dut.buffered ;
  (* hierconn *) wire [3:0] \dut.pending ;
  (* hierconn *) wire [7:0] \dut.left ;
  (* hierconn *) wire \dut.stored , \dut.begins , \dut.forgets ;
  logic [COUNT_BITS:0] inside;
  follow_fifo #(
      .WIDTH(DATA_BITS),
      .DEPTH(DEPTH)
  ) u_fifo (
      .clk,
      .rst(rst || \dut.forgets ),
      .in_valid(data_valid),
      .in_ready(data_ready),
      .in_data(data),
      .out_valid(\dut.stored ),
      .out_ready(wvalid && wready),
      .out_data(wdata),
      .memory({
        \dut.u_fifo.memory[3] ,
        \dut.u_fifo.memory[2] ,
        \dut.u_fifo.memory[1] ,
        \dut.u_fifo.memory[0]
      }),
      .write(\dut.u_fifo.write ),
      .read(\dut.u_fifo.read ),
      .stored(\dut.u_fifo.stored ),
      .fetched(\dut.u_fifo.fetched ),
      .found(\dut.u_fifo.found ),
      .inside
  );
  logic [7:0] length, beat;  // of the burst whose data leaves
  logic [4:0] addressed, written;  // bursts whose address, whose last beat was taken: not answered
  logic used;
  initial assume (rst);
  always_ff @(posedge clk) begin
    if (\dut.begins ) begin
      length <= awlen;
      beat   <= '0;
    end else if (wvalid && wready) begin
      beat <= beat + 1'b1;
    end
    if (rst) used <= 1'b0;
    else if (bvalid) used <= 1'b1;
    if (rst) begin
      addressed <= '0;
      written   <= '0;
    end else begin
      addressed <= addressed + 5'(awvalid && awready) - 5'(bvalid);
      written   <= written + 5'(wvalid && wready && wlast) - 5'(bvalid);
    end

    if (!rst) begin
      if (request_valid) assume (request_beats != '0 && !request_address[0]);
      if (bvalid) assume (addressed != '0 && written != '0);
      if (awvalid) assert (awsize == 3'd1 && awburst == 2'b01);
      if (bvalid) assert (bready);
      // a burst's address has the length of its data, and the last beat ends them
      if (awvalid) assert (awlen == length);
      if (wvalid) assert (&wstrb && beat <= length && wlast == (beat == length));
      // no beat is offered that is not here; all of its burst are
      assert (int'(\dut.buffered ) + (wvalid ? int'(\dut.left ) + 1 : 0) == int'(inside));
      if (wvalid) assert (\dut.left + beat == length);
      // every burst is answered once, no more than 15 wait
      assert (int'(\dut.pending ) == int'(addressed) + int'(awvalid));
      assert (int'(\dut.pending ) == int'(written) + int'(wvalid));
      if (idle) assert (\dut.bursts_idle && addressed == '0 && written == '0);
      if (idle) assert (!awvalid && !wvalid);
      if (awvalid) assert (\dut.burst_valid );
      if (\dut.burst_valid ) assert (int'(awlen) < BURST);
      cover (awvalid && !wvalid);
      cover (flush && wvalid && \dut.left != '0);
      cover (wvalid && wready && wlast && int'(beat) == BURST - 1 && addressed == written + 5'd1);
      cover (idle && used && inside != '0);
    end
  end
endmodule
