// The adder engine: sums of the activations that weights select, by masks and adders.
//
// Ports are lookup.sv's. One half is read while the other gathers; halves alternate, so `free` says
// when the second takes the place of the first, and `bank` nothing new.
module masked_sum (
    input  logic                                               clk,
    input  logic                                               rst,
    input  logic                                               load_valid,
    output logic                                               load_ready,
    input  logic [                    vaqf_pkg::LOAD_BITS-1:0] load_data,
    output logic                                               prepared,
    input  logic                                               free,
    input  logic [                    vaqf_pkg::RING_WORD-1:0] weights,
    input  logic                                               bank,
    output logic [vaqf_pkg::TILE*vaqf_pkg::SLICE_SUM_BITS-1:0] sums
);
  localparam int TOKENS = vaqf_pkg::TOKENS;
  localparam int OUTPUTS = vaqf_pkg::PE;
  localparam int SIMD = vaqf_pkg::SIMD;
  localparam int ACT_BITS = vaqf_pkg::ACT_BITS;
  localparam int TOKEN_BITS = SIMD * ACT_BITS;

  logic full, take;
  logic held;  // a half that is not read to its end
  logic seen;  // `full` was told of

  always_ff @(posedge clk) begin
    if (rst) begin
      held     <= 1'b0;
      seen     <= 1'b0;
      prepared <= 1'b0;
    end else begin
      if (take) held <= 1'b1;
      else if (free) held <= 1'b0;
      seen     <= full && !take;
      prepared <= full && !seen;
    end
`ifndef SYNTHESIS
    if (!rst) assert (held || !free);
`endif
  end

  logic [TOKENS*TOKEN_BITS-1:0] next;
  operands u_operands (
      .clk,
      .rst,
      .load_valid,
      .load_ready,
      .load_data,
      .full,
      .may(!held || free),
      .take,
      .gathered(next)
  );

  for (genvar t = 0; t < TOKENS; ++t) begin : g_token
    // every second token has a copy of the weights, for itself and the next
    localparam int OWNER = t - t % 2;
    (* keep = "true" *) logic take_q;
    logic [TOKEN_BITS-1:0] current;
    always_ff @(posedge clk) begin
      take_q <= take;
      if (take_q) current <= next[t*TOKEN_BITS+:TOKEN_BITS];
    end
    if (t == OWNER) begin : g_weights
      (* keep = "true" *) logic [OUTPUTS*SIMD-1:0] copy;
      always_ff @(posedge clk) copy <= weights;
    end

    for (genvar p = 0; p < OUTPUTS; ++p) begin : g_output
      masked_column u_column (
          .clk,
          .operands(current),
          .mask(g_token[OWNER].g_weights.copy[p*SIMD+:SIMD]),
          .result(sums[(t*OUTPUTS+p)*vaqf_pkg::SLICE_SUM_BITS+:vaqf_pkg::SLICE_SUM_BITS])
      );
    end
  end

  logic unused;
  assign unused = &{1'b0, bank};
endmodule
