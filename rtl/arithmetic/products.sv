// y[o] = sum of m[o][i] * x[i]: a matrix that stands still, a vector x in every cycle.
//
// m is loaded row by row, or column by column with BY_INPUT, while the matrix before it is in use;
// `swap` comes with the first x that meets it. A row is loaded before that, and not before the swap to
// the matrix before; so is a column, but column i not before i cycles behind that swap: in order.
// Magnitudes: M_MAX and X_MAX at most.
//
// Two outputs share a chain of DSPs, one for each input, in two fields of one sum; a field holds so
// many products, what is more is another chain: INPUTS * ceil(OUTPUTS / 2) DSPs. It takes
// latency::products cycles.
module products #(
    parameter int OUTPUTS = 3,
    parameter int INPUTS = 8,
    parameter int M_BITS = 8,
    parameter int X_BITS = 8,
    parameter int X_MAX = 127,
    parameter bit BY_INPUT = 1'b0,
    localparam int M_MAX = 2 ** (M_BITS - 1) - 1,
    localparam int LOADS = BY_INPUT ? INPUTS : OUTPUTS,
    localparam int LOADED = BY_INPUT ? OUTPUTS : INPUTS,
    localparam int Y_BITS = sizes::bits_for(INPUTS * M_MAX * X_MAX) + 1
) (
    input  logic                      clk,
    input  logic [         LOADS-1:0] load,
    input  logic [ LOADED*M_BITS-1:0] m,
    input  logic                      swap,
    input  logic [ INPUTS*X_BITS-1:0] x,
    output logic [OUTPUTS*Y_BITS-1:0] y
);
  localparam int MOST = M_MAX * X_MAX;
  localparam int PAIRS = (OUTPUTS + 1) / 2;
  localparam int CHAINS = latency::chains(INPUTS, M_BITS, MOST);
  localparam int LENGTH = (INPUTS + CHAINS - 1) / CHAINS;
  localparam int SHIFT = vaqf_pkg::DSP_BITS - M_BITS;
  // both fields start at half of their range and so stay positive: nothing borrows, trees are unsigned
  localparam int FIELD_BITS = sizes::bits_for(LENGTH * MOST) + 1;
  localparam logic [47:0] BIAS = 48'd1 << (SHIFT + FIELD_BITS - 1) | 48'd1 << (FIELD_BITS - 1);
  localparam int TREE_BITS = sizes::bits_for(CHAINS * (2 ** FIELD_BITS - 1));
  localparam int BIASES = CHAINS * 2 ** (FIELD_BITS - 1);

  // stage s of every chain is s cycles late: x, `swap`, and loads that concern all stages at once
  logic [LENGTH:0] swaps;
  logic [(LENGTH+1)*LOADS-1:0] loads;
  assign swaps[0] = swap;
  assign loads[LOADS-1:0] = load;
  always_ff @(posedge clk) begin
    swaps[LENGTH:1] <= swaps[LENGTH-1:0];
    loads[(LENGTH+1)*LOADS-1:LOADS] <= loads[LENGTH*LOADS-1:0];
  end
  logic unused;  // the last, and late loads of a column
  assign unused = &{1'b0, swaps, loads};

  logic [INPUTS*X_BITS-1:0] late_x;
  logic [INPUTS-1:0] late_swap;
  logic [INPUTS*2*PAIRS-1:0] late_load;
  logic [INPUTS*2*PAIRS*M_BITS-1:0] late_m;
  for (genvar i = 0; i < INPUTS; ++i) begin : g_input
    // all chains end together
    localparam int STAGE = i % LENGTH + (i / LENGTH == CHAINS - 1 ? CHAINS * LENGTH - INPUTS : 0);
    delay #(
        .WIDTH (X_BITS),
        .CYCLES(STAGE)
    ) u_x (
        .clk,
        .in (x[i*X_BITS+:X_BITS]),
        .out(late_x[i*X_BITS+:X_BITS])
    );
    assign late_swap[i] = swaps[STAGE];
    if (BY_INPUT) begin : g_column
      assign late_load[i*2*PAIRS+:2*PAIRS] = {2 * PAIRS{load[i]}};
      assign late_m[i*2*PAIRS*M_BITS+:2*PAIRS*M_BITS] = (2 * PAIRS * M_BITS)'(m);
    end else begin : g_row
      logic [M_BITS-1:0] own;
      delay #(
          .WIDTH (M_BITS),
          .CYCLES(STAGE)
      ) u_m (
          .clk,
          .in (m[i*M_BITS+:M_BITS]),
          .out(own)
      );
      assign late_load[i*2*PAIRS+:2*PAIRS] = (2 * PAIRS)'(loads[STAGE*LOADS+:LOADS]);
      assign late_m[i*2*PAIRS*M_BITS+:2*PAIRS*M_BITS] = {2 * PAIRS{own}};
    end
  end

  for (genvar j = 0; j < PAIRS; ++j) begin : g_pair
    logic [INPUTS*48-1:0] sums, cascade;
    logic [CHAINS*FIELD_BITS-1:0] low, high;
    for (genvar i = 0; i < INPUTS; ++i) begin : g_dsp
      localparam bit FIRST = i % LENGTH == 0;
      localparam int AT = i * 2 * PAIRS + 2 * j;
      dsp_pair #(
          .M_BITS(M_BITS),
          .X_BITS(X_BITS),
          .SHIFT (SHIFT),
          .FIRST (FIRST),
          .BIAS  (BIAS)
      ) u_dsp (
          .clk,
          .load_low(late_load[AT]),
          .load_high(late_load[AT+1]),
          .low(late_m[AT*M_BITS+:M_BITS]),
          .high(late_m[(AT+1)*M_BITS+:M_BITS]),
          .swap(late_swap[i]),
          .x(late_x[i*X_BITS+:X_BITS]),
          .above(FIRST ? 48'b0 : cascade[(FIRST?i : i-1)*48+:48]),
          .sum(sums[i*48+:48]),
          .below(cascade[i*48+:48])
      );
    end
    for (genvar c = 0; c < CHAINS; ++c) begin : g_chain
      localparam int LAST = c == CHAINS - 1 ? INPUTS - 1 : (c + 1) * LENGTH - 1;
      assign low[c*FIELD_BITS+:FIELD_BITS]  = sums[LAST*48+:FIELD_BITS];
      assign high[c*FIELD_BITS+:FIELD_BITS] = sums[LAST*48+SHIFT+:FIELD_BITS];
    end
    for (genvar o = 2 * j; o < 2 * j + 2 && o < OUTPUTS; ++o) begin : g_output
      logic [TREE_BITS-1:0] sum;
      add_tree #(
          .COUNT(CHAINS),
          .WIDTH(FIELD_BITS)
      ) u_tree (
          .clk,
          .numbers(o % 2 == 0 ? low : high),
          .sum
      );
      assign y[o*Y_BITS+:Y_BITS] = Y_BITS'(sum - TREE_BITS'(BIASES));
    end
    logic unused_pair;  // of the sums, the fields behind the last DSP; of an odd output, one field
    assign unused_pair = &{1'b0, sums, cascade, high};
  end
endmodule
