// Operands of a round, gathered from loads: one token's slice for each of TOKENS / SHARE receivers.
//
// In the order of docs/rtl.md each operand has one place in the loads, so none is steered. A `full`
// round is taken as soon as it `may` be: in the cycle behind that `gathered` has it, and from the next
// on parts of the following one, whose loads go on at once.
module operands #(
    localparam int RECEIVERS = vaqf_pkg::TOKENS / vaqf_pkg::SHARE,
    localparam int RECEIVER_BITS = vaqf_pkg::SIMD * vaqf_pkg::ACT_BITS
) (
    input  logic                               clk,
    input  logic                               rst,
    input  logic                               load_valid,
    output logic                               load_ready,
    input  logic [    vaqf_pkg::LOAD_BITS-1:0] load_data,
    output logic                               full,
    input  logic                               may,
    output logic                               take,
    output logic [RECEIVERS*RECEIVER_BITS-1:0] gathered
);
  localparam int PART_BITS = vaqf_pkg::RUN_WORDS * vaqf_pkg::ACT_WORD;  // for one receiver
  localparam int RUNS = vaqf_pkg::RUNS;
  localparam int TURNS = vaqf_pkg::RUN_WORDS / vaqf_pkg::SHARE;  // receivers of one place
  localparam int LOADS = TURNS * RUNS;

  logic [LOADS-1:0] position, enable;  // one bit each
  logic [vaqf_pkg::LOAD_BITS-1:0] arrived;
  logic accept;
  assign take = full && may;
  assign load_ready = !full || may;
  assign accept = load_valid && load_ready;

  always_ff @(posedge clk) begin
    arrived <= load_data;
    if (rst) begin
      position <= LOADS'(1);
      enable   <= '0;
      full     <= 1'b0;
    end else begin
      if (accept) position <= LOADS'({position, position[LOADS-1]});
      enable <= accept ? position : '0;
      if (accept && position[LOADS-1]) full <= 1'b1;
      else if (take) full <= 1'b0;
    end
  end

  for (genvar i = 0; i < RECEIVERS; ++i) begin : g_receiver
    for (genvar r = 0; r < RUNS; ++r) begin : g_run
      logic [PART_BITS-1:0] part;
      assign gathered[i*RECEIVER_BITS+r*PART_BITS+:PART_BITS] = part;
      always_ff @(posedge clk) begin
        if (enable[(i%TURNS)*RUNS+r]) part <= arrived[(i/TURNS)*PART_BITS+:PART_BITS];
      end
    end
  end
endmodule
