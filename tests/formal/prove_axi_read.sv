// axi_read.sv: no beat is asked for without room, all arrive in order, addresses wait unchanged.
//
// The memory answers with one beat in any later cycle, for any beat that was asked for.
module prove_axi_read #(
    parameter int BURST = 2,
    parameter int DEPTH = 3,
    localparam int DATA_BITS = 16,
      localparam int COUNT_BITS = $clog2(DEPTH + 1)
) (
    input  logic                 clk,
    input  logic                 rst,
    input  logic                 request_valid,
    input  logic [         63:0] request_address,
    input  logic [         31:0] request_beats,
    input  logic                 data_ready,
    input  logic                 flush,
    input  logic                 clear_error,
    input  logic                 arready,
    input  logic                 rvalid,
    input  logic [DATA_BITS-1:0] rdata,
    input  logic [          1:0] rresp,
    input  logic                 rlast,
    output logic                 request_ready,
    output logic                 data_valid,
    output logic                 arvalid,
    output logic                 rready
);
  logic [DATA_BITS-1:0] data;
  logic [1:0] error, arburst;
  logic moved, idle;
  logic [63:0] araddr;
  logic [7:0] arlen;
  logic [2:0] arsize, arprot;
  logic [3:0] arcache;
  axi_read #(
      .DATA_BITS(DATA_BITS),
      .BURST(BURST),
      .DEPTH(DEPTH)
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
      .arvalid,
      .arready,
      .araddr,
      .arlen,
      .arsize,
      .arburst,
      .arcache,
      .arprot,
      .rvalid,
      .rready,
      .rdata,
      .rresp,
      .rlast
  );

  (* hierconn *) wire \dut.u_fifo.fetched ;
  (* hierconn *) wire [DATA_BITS-1:0] \dut.u_fifo.found ;
  (* hierconn *) wire \dut.burst_valid , \dut.bursts_idle ;
  (* hierconn *) wire [DATA_BITS-1:0] \dut.u_fifo.memory[0] , \dut.u_fifo.memory[1] ,
      \dut.u_fifo.memory[2] ;
  (* hierconn *) wire [$clog2(DEPTH)-1:0] \dut.u_fifo.write , \dut.u_fifo.read ;
  (* hierconn *) wire [COUNT_BITS-1:0] \dut.u_fifo.stored , \dut.room ;
  (* hierconn *) wire \dut.stores , \dut.stored ;
  logic [COUNT_BITS:0] inside;
  follow_fifo #(
      .WIDTH(DATA_BITS),
      .DEPTH(DEPTH),
      .DEEP (1'b1)
  ) u_fifo (
      .clk,
      .rst,
      .in_valid(rvalid),
      .in_ready(\dut.stores ),
      .in_data(rdata),
      .out_valid(\dut.stored ),
      .out_ready(data_ready || flush),
      .out_data(data),
      .memory({\dut.u_fifo.memory[2] , \dut.u_fifo.memory[1] , \dut.u_fifo.memory[0] }),
      .write(\dut.u_fifo.write ),
      .read(\dut.u_fifo.read ),
      .stored(\dut.u_fifo.stored ),
      .fetched(\dut.u_fifo.fetched ),
      .found(\dut.u_fifo.found ),
      .inside
  );
  localparam int ASKED_BITS = COUNT_BITS + 1;
  logic [ASKED_BITS-1:0] asked;  // beats that have not come
  logic used;
  initial assume (rst);
  always_ff @(posedge clk) begin
    if (rst) used <= 1'b0;
    else if (data_valid && data_ready) used <= 1'b1;
    if (rst) asked <= '0;
    else
      asked <= asked + (arvalid && arready ? ASKED_BITS'(arlen) + 1'b1 : '0) - ASKED_BITS'(rvalid);
    if (!rst) begin
      if (request_valid) assume (request_beats != '0 && !request_address[0]);
      if (rvalid) assume (asked != '0);
      if (arvalid) assert (arsize == 3'd1 && arburst == 2'b01);
      if (rvalid) assert (rready);
      assert (data_valid == \dut.stored );
      assert (int'(asked) + int'(inside) + int'(\dut.room ) == DEPTH);
      if (arvalid) assert (\dut.burst_valid );
      if (\dut.burst_valid ) assert (int'(arlen) < BURST);
      if (idle) assert (\dut.bursts_idle && !arvalid && asked == '0 && !\dut.stored );
      cover (int'(asked) == DEPTH - 1);
      cover (idle && used);
      cover (flush && asked != '0 && \dut.stored );
    end
  end
endmodule
