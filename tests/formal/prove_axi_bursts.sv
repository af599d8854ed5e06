// axi_bursts.sv: bursts are side by side, sum up to the request and keep AXI's rules.
module prove_axi_bursts #(
    parameter int DATA_BITS = 128,
    parameter int BURST = 256,
    localparam int BYTE_BITS = $clog2(DATA_BITS / 8),
    localparam int BEAT_BITS = $clog2(BURST)
) (
    input  logic        clk,
    input  logic        rst,
    input  logic        request_valid,
    input  logic        drop,
    input  logic [63:0] request_address,
    input  logic [31:0] request_beats,
    input  logic        burst_ready,
    output logic        request_ready,
    output logic        burst_valid
);
  logic [63:0] burst_address;
  logic [7:0] burst_length;
  logic idle;
  axi_bursts #(
      .DATA_BITS(DATA_BITS),
      .BURST(BURST)
  ) dut (
      .clk,
      .rst,
      .request_valid,
      .request_ready,
      .drop,
      .request_address,
      .request_beats,
      .burst_valid,
      .burst_ready,
      .burst_address,
      .burst_length,
      .idle
  );

  (* hierconn *) wire \dut.cutting ;
  (* hierconn *) wire [63-BYTE_BITS:BEAT_BITS] \dut.block ;
  (* hierconn *) wire [BEAT_BITS-1:0] \dut.first , \dut.last ;
  (* hierconn *) wire [32:BEAT_BITS] \dut.blocks ;
  follow_bursts #(
      .DATA_BITS(DATA_BITS),
      .BURST(BURST)
  ) u_follow (
      .clk,
      .rst,
      .request_valid,
      .request_ready,
      .drop,
      .request_address,
      .request_beats,
      .burst_valid,
      .burst_ready,
      .burst_address,
      .burst_length,
      .idle,
      .cutting(\dut.cutting ),
      .block(\dut.block ),
      .first(\dut.first ),
      .blocks(\dut.blocks ),
      .last(\dut.last )
  );
  follow_stream #(
      .WIDTH(72)
  ) u_stream (
      .clk,
      .rst,
      .valid(burst_valid),
      .ready(burst_ready),
      .data ({burst_address, burst_length})
  );

  initial assume (rst);
  always_ff @(posedge clk) if (!rst) cover (drop && burst_valid && !burst_ready && !idle);
endmodule
