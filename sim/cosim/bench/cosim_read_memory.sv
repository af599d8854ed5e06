// A memory behind an AXI4 read port: answers bursts in order, and checks what AXI asks of a master.
//
// Its words come from NAME.hex in the folder of the run, the first of them for the address
// +NAME_base. Without +stalls it is always ready, answers +latency cycles after the address and gives
// +NAME_rate of 1024 beats it could give; with it every channel pauses at random and every burst takes
// up to twice as long.
module cosim_read_memory #(
    parameter int DATA_BITS = 128,
    parameter string NAME = "weights"
) (
    input  logic                 clk,
    input  logic                 rst,
    input  logic                 arvalid,
    output logic                 arready,
    input  logic [         63:0] araddr,
    input  logic [          7:0] arlen,
    input  logic [          2:0] arsize,
    input  logic [          1:0] arburst,
    input  logic [          3:0] arcache,
    input  logic [          2:0] arprot,
    output logic                 rvalid,
    input  logic                 rready,
    output logic [DATA_BITS-1:0] rdata,
    output logic [          1:0] rresp,
    output logic                 rlast
);
  localparam int WIDTH = DATA_BITS / 8;
  localparam int SIZE = $clog2(WIDTH);
  localparam int PAGE = 4096;
  localparam int WHOLE = 1024;  // a beat, in units of the rate

  logic [DATA_BITS-1:0] words[int];
  longint unsigned base;
  int behind, rate;
  // verilator lint_off UNUSEDSIGNAL
  int seed;  // whether it is there is what counts
  logic [31:0] chance;  // not all of its bits
  // verilator lint_on UNUSEDSIGNAL
  logic stalls;
  initial begin
    if (!$value$plusargs({NAME, "_base=%h"}, base)) base = '0;
    if (!$value$plusargs("latency=%d", behind)) behind = 0;
    if (!$value$plusargs({NAME, "_rate=%d"}, rate)) rate = WHOLE;
    stalls = $value$plusargs("stalls=%d", seed) != 0;
    $readmemh({NAME, ".hex"}, words);
  end
  cosim_chance #(
      .NAME(NAME)
  ) u_chance (
      .clk,
      .chance
  );

  longint unsigned cycle, due[$];
  logic [63:0] addresses[$];
  logic [7:0] lengths[$], beat;
  int credit, earned;  // for beats, of two at most
  logic gives;
  logic [83:0] shown;
  logic waits;
  assign rresp = '0;
  assign earned = credit + rate - (gives ? WHOLE : 0);
  assign gives = (!rvalid || rready) && due.size() != 0 && due[0] <= cycle && credit >= WHOLE &&
      (!stalls || chance[1]);
  always @(posedge clk) begin
    cycle   <= cycle + 1;
    arready <= !rst && (!stalls || chance[0]);
    waits   <= !rst && arvalid && !arready;
    shown   <= {araddr, arlen, arsize, arburst, arcache, arprot};
    credit  <= earned > 2 * WHOLE ? 2 * WHOLE : earned;
    if (rst) begin
      credit <= 0;
      cycle  <= 0;
      rvalid <= 1'b0;
      beat   <= '0;
      addresses.delete();
      lengths.delete();
      due.delete();
    end else begin
      if (waits)
        assert (arvalid && {araddr, arlen, arsize, arburst, arcache, arprot} == shown)
        else $error("%s: an address was withdrawn or changed while it waited", NAME);
      if (arvalid && arready) begin
        assert (arburst == 2'b01 && int'(arsize) == SIZE)
        else $error("%s: burst %0d of size %0d", NAME, arburst, arsize);
        assert (araddr % 64'(WIDTH) == 0)
        else $error("%s: address %h inside a beat", NAME, araddr);
        assert (araddr % 64'(PAGE) + (64'(arlen) + 1) * 64'(WIDTH) <= 64'(PAGE))
        else $error("%s: the burst of %0d beats at %h crosses 4 KiB", NAME, arlen + 9'd1, araddr);
        addresses.push_back(araddr);
        lengths.push_back(arlen);
        due.push_back(cycle + 64'(behind) + (stalls ? 64'(chance[31:8]) % 64'(behind + 1) : 0));
      end
      if (!rvalid || rready) begin
        rvalid <= 1'b0;
        rdata  <= {DATA_BITS / 32{chance}};
        if (gives) begin
          automatic int place = int'((addresses[0] - base) / 64'(WIDTH)) + int'(beat);
          assert (addresses[0] >= base && words.exists(place))
          else $error("%s: a read of %h, outside the memory", NAME, addresses[0]);
          rvalid <= 1'b1;
          rdata  <= words[place];
          rlast  <= beat == lengths[0];
          beat   <= beat == lengths[0] ? '0 : beat + 1'b1;
          if (beat == lengths[0]) begin
            addresses.pop_front();
            lengths.pop_front();
            due.pop_front();
          end
        end
      end
    end
  end
endmodule
