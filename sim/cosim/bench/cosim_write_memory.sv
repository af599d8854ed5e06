// A memory behind an AXI4 write port: every beat becomes a line of NAME.txt, and what AXI asks of a
// master is checked.
//
// A line is cycle, address, strobes and data, all but the cycle in hexadecimal. +stalls and
// +latency as in cosim_read_memory.
module cosim_write_memory #(
    parameter int DATA_BITS = 128,
    parameter string NAME = "results"
) (
    input  logic                     clk,
    input  logic                     rst,
    input  longint                   cycle,
    input  logic                     awvalid,
    output logic                     awready,
    input  logic   [           63:0] awaddr,
    input  logic   [            7:0] awlen,
    input  logic   [            2:0] awsize,
    input  logic   [            1:0] awburst,
    input  logic   [            3:0] awcache,
    input  logic   [            2:0] awprot,
    input  logic                     wvalid,
    output logic                     wready,
    input  logic   [  DATA_BITS-1:0] wdata,
    input  logic   [DATA_BITS/8-1:0] wstrb,
    input  logic                     wlast,
    output logic                     bvalid,
    input  logic                     bready,
    output logic   [            1:0] bresp
);
  localparam int WIDTH = DATA_BITS / 8;
  localparam int SIZE = $clog2(WIDTH);
  localparam int PAGE = 4096;

  int behind, file;
  // verilator lint_off UNUSEDSIGNAL
  int seed;  // whether it is there is what counts
  logic [31:0] chance;  // not all of its bits
  // verilator lint_on UNUSEDSIGNAL
  logic stalls;
  initial begin
    if (!$value$plusargs("latency=%d", behind)) behind = 0;
    stalls = $value$plusargs("stalls=%d", seed) != 0;
    file   = $fopen({NAME, ".txt"}, "w");
  end
  cosim_chance #(
      .NAME(NAME)
  ) u_chance (
      .clk,
      .chance
  );

  typedef logic [DATA_BITS+WIDTH:0] beat_t;
  longint due[$];
  logic [63:0] addresses[$];
  logic [83:0] shown_address;
  logic [7:0] lengths[$], beat;
  beat_t beats[$], shown;
  logic address_waits, data_waits;
  assign bresp = '0;
  always @(posedge clk) begin
    awready <= !rst && (!stalls || chance[0]);
    wready <= !rst && (!stalls || chance[1]);
    address_waits <= !rst && awvalid && !awready;
    data_waits <= !rst && wvalid && !wready;
    shown_address <= {awaddr, awlen, awsize, awburst, awcache, awprot};
    shown <= {wlast, wstrb, wdata};
    if (rst) begin
      bvalid <= 1'b0;
      beat   <= '0;
      addresses.delete();
      lengths.delete();
      beats.delete();
      due.delete();
    end else begin
      if (address_waits)
        assert (awvalid && {awaddr, awlen, awsize, awburst, awcache, awprot} == shown_address)
        else $error("%s: an address was withdrawn or changed while it waited", NAME);
      if (data_waits)
        assert (wvalid && {wlast, wstrb, wdata} == shown)
        else $error("%s: a beat was withdrawn or changed while it waited", NAME);
      if (awvalid && awready) begin
        assert (awburst == 2'b01 && int'(awsize) == SIZE)
        else $error("%s: burst %0d of size %0d", NAME, awburst, awsize);
        assert (awaddr % 64'(WIDTH) == 0)
        else $error("%s: address %h inside a beat", NAME, awaddr);
        assert (awaddr % 64'(PAGE) + (64'(awlen) + 1) * 64'(WIDTH) <= 64'(PAGE))
        else $error("%s: the burst of %0d beats at %h crosses 4 KiB", NAME, awlen + 9'd1, awaddr);
        addresses.push_back(awaddr);
        lengths.push_back(awlen);
      end
      if (wvalid && wready) beats.push_back({wlast, wstrb, wdata});
      if (bvalid && bready) bvalid <= 1'b0;
      if ((!bvalid || bready) && due.size() != 0 && due[0] <= cycle && (!stalls || chance[2])) begin
        bvalid <= 1'b1;
        due.pop_front();
      end
      if (addresses.size() != 0 && beats.size() != 0) begin
        automatic beat_t word = beats.pop_front();
        assert (word[DATA_BITS+WIDTH] == (beat == lengths[0]))
        else $error("%s: the last beat of a burst is not marked as such", NAME);
        $fdisplay(file, "%0d %h %h %h", cycle, addresses[0] + 64'(beat) * 64'(WIDTH),
                  word[DATA_BITS+:WIDTH], word[DATA_BITS-1:0]);
        $fflush(file);
        beat <= beat == lengths[0] ? '0 : beat + 1'b1;
        if (beat == lengths[0]) begin
          addresses.pop_front();
          lengths.pop_front();
          due.push_back(cycle + 64'(behind) + (stalls ? 64'(chance[31:8]) % 64'(behind + 1) : 0));
        end
      end
    end
  end
endmodule
