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

// What axi_bursts.sv makes of requests: bursts side by side that are the request, none more.
//
// Two requests are known at most: the one whose last burst waits, and the next one, being cut.
module follow_bursts #(
    parameter int DATA_BITS = 128,
    parameter int BURST = 2,
    localparam int BYTES = DATA_BITS / 8,
    localparam int BYTE_BITS = $clog2(BYTES),
    localparam int BEAT_BITS = $clog2(BURST)
) (
    input logic                          clk,
    input logic                          rst,
    input logic                          request_valid,
    input logic                          request_ready,
    input logic                          drop,
    input logic [                  63:0] request_address,
    input logic [                  31:0] request_beats,
    input logic                          burst_valid,
    input logic                          burst_ready,
    input logic [                  63:0] burst_address,
    input logic [                   7:0] burst_length,
    input logic                          idle,
    // of the module
    input logic                          cutting,
    input logic [63-BYTE_BITS:BEAT_BITS] block,
    input logic [         BEAT_BITS-1:0] first,
    input logic [          32:BEAT_BITS] blocks,
    input logic [         BEAT_BITS-1:0] last
);
  logic [63:0] address, next_address;
  logic [32:0] left, next_left;  // beats; 0: no such request
  logic take, leaves;
  logic [32:0] beats, left_after;
  logic [63:0] address_after;
  assign take = request_valid && request_ready;
  assign leaves = burst_valid && burst_ready;
  assign beats = 33'(burst_length) + 33'd1;
  assign left_after = left - (leaves ? beats : '0);
  assign address_after = address + (leaves ? 64'(beats) * BYTES : '0);

  // what is left to be cut
  logic [63:0] cut_address;
  logic [32:0] cut_left;
  assign cut_address = {block, first, {BYTE_BITS{1'b0}}};
  assign cut_left = cutting ? {blocks, last} + 33'd1 - 33'(first) : '0;

  always_ff @(posedge clk) begin
    if (rst) begin
      left <= '0;
      next_left <= '0;
    end else if (drop) begin  // all but the burst that waits
      left <= burst_valid && !leaves ? beats : '0;
      next_left <= '0;
    end else if (left_after != '0) begin
      left <= left_after;
      address <= address_after;
      if (take) begin
        next_left <= {1'b0, request_beats};
        next_address <= request_address;
      end
    end else begin
      left <= take ? {1'b0, request_beats} : next_left;
      address <= take ? request_address : next_address;
      next_left <= '0;
    end

    if (!rst) begin
      if (request_valid) assume (request_beats != '0 && request_address[BYTE_BITS-1:0] == '0);
      assert (idle == (left == '0));
      if (burst_valid) begin
        assert (burst_address == address && beats <= left);
        assert (int'(burst_length) < BURST);
        assert (13'(burst_address[11:0]) + 13'(beats) * 13'(BYTES) <= 13'd4096);
        // only the last burst of a request ends inside a block
        assert (beats == left || int'(burst_address[BYTE_BITS+:BEAT_BITS]) + int'(beats) == BURST);
      end
      if (take) assert (next_left == '0);

      // the invariant
      if (cutting) assert (cut_left != '0 && cut_left <= 33'h1_0000_0000);
      if (cutting) assert (blocks != '0 || last >= first);
      if (burst_valid) begin
        assert (burst_address[BYTE_BITS-1:0] == '0);
        assert (int'(burst_address[BYTE_BITS+:BEAT_BITS]) + int'(burst_length) < BURST);
      end
      if (next_left != '0) begin
        assert (burst_valid && left == beats);
        assert (cutting && next_left == cut_left && next_address == cut_address);
      end else begin
        assert (left == cut_left + (burst_valid ? beats : '0));
        if (cutting) assert (cut_address == address + (burst_valid ? 64'(beats) * BYTES : '0));
      end

      cover (next_left != '0);
      // a whole block inside a request, up to a boundary of 4 KiB
      cover (leaves && beats != left && int'(beats) == BURST && address_after[11:0] == '0);
    end
  end
endmodule
