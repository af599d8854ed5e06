// What the layer norm of each row of a token group needs: minus its sum, and 1 / sigma.
//
// Tokens go through the one normalizer one after the other, a round ahead of the loads: a round is a
// token group, or with NORM_PREFIX a token, which is row 0 then. Rounds take turns in two halves.
// Row (j * NORM_ROWS + i) * RUN_WORDS + r lies in memory i at {half, j, r}.
module norm_numbers #(
    parameter int NORM_ROWS = 1,
    parameter int ROW_BEATS = 1,
    localparam int RUN_BITS = sizes::index_bits(vaqf_pkg::RUN_WORDS),
    localparam int BEAT_BITS = sizes::index_bits(ROW_BEATS),
    localparam int NUMBER_BITS = 1 + BEAT_BITS + RUN_BITS
) (
    input logic clk,
    input logic rst,
    input logic start,
    input vaqf_pkg::command_t command,
    output logic [sizes::index_bits(vaqf_pkg::GROUPS)-1:0] sums_address,
    input logic [vaqf_pkg::TOKENS*vaqf_pkg::SUMS_BITS-1:0] sums_data,
    output logic [1:0] filled,  // rounds that may be read
    output logic [1:0] filled_then,  // in the next cycle, but for what is released in this one
    input logic released,  // pulse: the oldest will not be
    // each answers a cycle later, the exponent latency::SCALE_PRODUCT - 1 behind that
    input logic [NUMBER_BITS-1:0] sum_address,
    output logic [NORM_ROWS*vaqf_pkg::ROW_SUM_BITS-1:0] minus_sum,
    input logic [NUMBER_BITS-1:0] factor_address,
    output logic [NORM_ROWS*vaqf_pkg::NORM_VALUE_BITS-1:0] mantissa,
    output logic [NORM_ROWS*6-1:0] exponent
);
  localparam int TOKENS = vaqf_pkg::TOKENS;
  localparam int SUM_BITS = vaqf_pkg::ROW_SUM_BITS;
  localparam int SUMS_BITS = vaqf_pkg::SUMS_BITS;
  localparam int MANTISSA_BITS = vaqf_pkg::NORM_VALUE_BITS;
  localparam int TOKEN_BITS = sizes::index_bits(TOKENS);
  localparam int LANE_BITS = sizes::index_bits(NORM_ROWS);

  logic prefix, normalizes;
  assign prefix = command.source == 4'(vaqf_pkg::SOURCE_NORM_PREFIX);
  assign normalizes = prefix || command.source == 4'(vaqf_pkg::SOURCE_NORM);

  // tokens that are taken up, a half's worth of them at once
  logic active, take, round_begin, round_end;
  localparam int LEFT_BITS = sizes::bits_for(vaqf_pkg::MAX_TOKENS);
  logic [LEFT_BITS-1:0] left;  // tokens
  logic [TOKEN_BITS-1:0] token;  // of its group
  logic [1:0] begun;  // rounds, of which `filled` are complete
  assign round_begin = prefix || token == '0;
  assign round_end = prefix || token == TOKEN_BITS'(TOKENS - 1);
  assign take = active && !(round_begin && begun == 2'd2);

  always_ff @(posedge clk) begin
    if (rst) active <= 1'b0;
    else if (start) active <= normalizes;
    else if (take && round_end && left <= LEFT_BITS'(1)) active <= 1'b0;
    if (start) begin
      left         <= prefix ? LEFT_BITS'(command.prefix_tokens) : LEFT_BITS'(command.tokens);
      token        <= '0;
      sums_address <= '0;
      begun        <= '0;
    end else begin
      begun <= begun + 2'(take && round_begin) - 2'(released);
      if (take) begin
        // rows behind the last token complete its group
        if (left != '0) left <= left - 1'b1;
        token <= token == TOKEN_BITS'(TOKENS - 1) ? '0 : token + 1'b1;
        if (token == TOKEN_BITS'(TOKENS - 1)) sums_address <= sums_address + 1'b1;
      end
    end
`ifndef SYNTHESIS
    if (!rst && start) assert (!active);
    if (!rst && start && prefix) assert (int'(command.prefix_tokens) <= vaqf_pkg::MAX_HEAD_TOKENS);
`endif
  end

  localparam int NORMALIZER = latency::normalizer(vaqf_pkg::VARIANCE_BITS);
  localparam int WAY = latency::NORM_SUMS + 1 + NORMALIZER;
  logic [TOKEN_BITS-1:0] token_read;
  logic [WAY-1:0] on_way;
  logic written;
  assign written = on_way[WAY-1];
  always_ff @(posedge clk) on_way <= rst ? '0 : {on_way[WAY-2:0], take};

  logic signed [SUM_BITS-1:0] own_sum, sum_later;
  logic [vaqf_pkg::ROW_SQUARE_BITS-1:0] own_squares;
  logic [MANTISSA_BITS-1:0] own_mantissa;
  logic [5:0] own_exponent;
  delay #(
      .WIDTH (TOKEN_BITS),
      .CYCLES(latency::NORM_SUMS)
  ) u_token (
      .clk,
      .in (token),
      .out(token_read)
  );
  always_ff @(posedge clk) {own_squares, own_sum} <= sums_data[token_read*SUMS_BITS+:SUMS_BITS];
  normalizer u_normalizer (
      .clk,
      .sum(own_sum),
      .squares(own_squares),
      .dim(command.dim),
      .eps({command.eps_high, command.eps_low}),
      .mantissa(own_mantissa),
      .exponent(own_exponent)
  );
  delay #(
      .WIDTH (SUM_BITS),
      .CYCLES(NORMALIZER)
  ) u_sum (
      .clk,
      .in (own_sum),
      .out(sum_later)
  );
  // where they are kept
  logic [ RUN_BITS-1:0] run;
  logic [LANE_BITS-1:0] lane;
  logic [BEAT_BITS-1:0] beat;
  logic half, last_run, last_lane, last_beat, complete;
  assign last_run = run == RUN_BITS'(vaqf_pkg::RUN_WORDS - 1);
  assign last_lane = lane == LANE_BITS'(NORM_ROWS - 1);
  assign last_beat = beat == BEAT_BITS'(ROW_BEATS - 1);
  assign complete = written && (prefix || (last_run && last_lane && last_beat));
  assign filled_then = filled + 2'(complete);

  always_ff @(posedge clk) begin
    if (start) begin
      run    <= '0;
      lane   <= '0;
      beat   <= '0;
      half   <= 1'b0;
      filled <= '0;
    end else begin
      filled <= filled_then - 2'(released);
      if (complete) half <= !half;
      if (written && !prefix) begin
        run <= last_run ? '0 : run + 1'b1;
        if (last_run) lane <= last_lane ? '0 : lane + 1'b1;
        if (last_run && last_lane) beat <= last_beat ? '0 : beat + 1'b1;
      end
    end
`ifndef SYNTHESIS
    if (!rst && !start && released) assert (filled != '0);
`endif
  end

  logic [NORM_ROWS*6-1:0] early_exponent;
  delay #(
      .WIDTH (NORM_ROWS * 6),
      .CYCLES(latency::SCALE_PRODUCT - 1)
  ) u_exponent (
      .clk,
      .in (early_exponent),
      .out(exponent)
  );
  for (genvar i = 0; i < NORM_ROWS; ++i) begin : g_lane
    logic [SUM_BITS-1:0] sums[2**NUMBER_BITS];
    logic [MANTISSA_BITS+5:0] factors[2**NUMBER_BITS];
    always_ff @(posedge clk) begin
      if (written && lane == LANE_BITS'(i)) begin
        sums[{half, beat, run}]    <= -sum_later;
        factors[{half, beat, run}] <= {own_mantissa, own_exponent};
      end
      minus_sum[i*SUM_BITS+:SUM_BITS] <= sums[sum_address];
      {mantissa[i*MANTISSA_BITS+:MANTISSA_BITS], early_exponent[i*6+:6]} <= factors[factor_address];
    end
  end

  logic unused;
  assign unused = &{1'b0, command};
endmodule
