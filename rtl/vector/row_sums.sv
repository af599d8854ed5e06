// Sum and sum of squares of every row of the residual stream, added up while it is written.
//
// Takes tiles, words of a group in order, and gives the group's sums to their memory. Adders are
// unsigned: what is added up are the values plus 2**15, and a row starts below zero by as much.
module row_sums (
    input logic clk,
    input logic rst,
    input logic start,
    input logic [sizes::bits_for(vaqf_pkg::MAX_DIM/vaqf_pkg::PE)-1:0] n_words,
    input logic in_valid,
    input logic in_last,  // word of its group
    input logic [vaqf_pkg::TILE*vaqf_pkg::RESIDUAL_BITS-1:0] in_data,
    output logic write,
    output logic [sizes::index_bits(vaqf_pkg::GROUPS)-1:0] address,
    output logic [vaqf_pkg::TOKENS*vaqf_pkg::SUMS_BITS-1:0] data
);
  localparam int P = vaqf_pkg::PE;
  localparam int X = vaqf_pkg::RESIDUAL_BITS;
  localparam int SUM_BITS = vaqf_pkg::ROW_SUM_BITS;
  localparam int SQUARE_BITS = vaqf_pkg::ROW_SQUARE_BITS;
  localparam int TREE = latency::add_tree(P);

  // in step with the sums of squares
  localparam int CYCLES = latency::ROW_SUMS - 1 + TREE;
  logic [CYCLES-1:0] valids;
  logic valid, last;
  assign valid = valids[CYCLES-1];
  delay #(
      .WIDTH (1),
      .CYCLES(CYCLES)
  ) u_delay (
      .clk,
      .in (in_last),
      .out(last)
  );

  logic fresh;  // the next word is the first of its row
  logic [SUM_BITS-1:0] below;  // minus what the values of a row have too much; it wraps
  always_ff @(posedge clk) begin
    below <= -(SUM_BITS'(n_words) * SUM_BITS'(P * 2 ** (X - 1)));
    if (rst) begin
      valids <= '0;
      write  <= 1'b0;
    end else begin
      valids <= {valids[CYCLES-2:0], in_valid};
      write  <= valid && last;
    end
    if (start) fresh <= 1'b1;
    else if (valid) fresh <= last;
    if (start) address <= '0;
    else if (write) address <= address + 1'b1;
  end

  for (genvar t = 0; t < vaqf_pkg::TOKENS; ++t) begin : g_row
    logic [P*X-1:0] raised, low;
    logic [P*(X-1)-1:0] high;
    for (genvar p = 0; p < P; ++p) begin : g_lane
      logic signed [X-1:0] x;
      logic [47:0] square;
      assign x = in_data[(t*P+p)*X+:X];
      assign raised[p*X+:X] = {!x[X-1], x[X-2:0]};
      assign low[p*X+:X] = square[X-1:0];
      assign high[p*(X-1)+:X-1] = square[2*X-2:X];
      multiply_add #(
          .A_BITS  (X),
          .B_BITS  (X),
          .OPERANDS(1'b0)
      ) u_square (
          .clk,
          .a  (x),
          .b  (x),
          .c  ('0),
          .sum(square)
      );
      logic unused;  // a square has no sign
      assign unused = &{1'b0, square};
    end

    // squares in two halves: numbers of 32 bits and more are none for add_tree
    localparam int SUM = sizes::bits_for(P * (2 ** X - 1));
    localparam int HIGH = sizes::bits_for(P * (2 ** (X - 1) - 1));
    logic [SUM-1:0] early_sum, word_sum, low_squares;
    logic [  HIGH-1:0] high_squares;
    logic [HIGH+X-1:0] word_squares;
    add_tree #(
        .COUNT(P),
        .WIDTH(X)
    ) u_sum (
        .clk,
        .numbers(raised),
        .sum(early_sum)
    );
    delay #(
        .WIDTH (SUM),
        .CYCLES(latency::ROW_SUMS - 1)
    ) u_sum_delay (
        .clk,
        .in (early_sum),
        .out(word_sum)
    );
    add_tree #(
        .COUNT(P),
        .WIDTH(X)
    ) u_low (
        .clk,
        .numbers(low),
        .sum(low_squares)
    );
    add_tree #(
        .COUNT(P),
        .WIDTH(X - 1)
    ) u_high (
        .clk,
        .numbers(high),
        .sum(high_squares)
    );
    always_ff @(posedge clk) begin
      word_squares <= {high_squares, {X{1'b0}}} + (HIGH + X)'(low_squares);
    end

    logic [SUM_BITS-1:0] sum;
    logic [SQUARE_BITS-1:0] squares;
    assign data[t*vaqf_pkg::SUMS_BITS+:vaqf_pkg::SUMS_BITS] = {squares, sum};
    always_ff @(posedge clk) begin
      if (valid) begin
        sum     <= (fresh ? below : sum) + SUM_BITS'(word_sum);
        squares <= (fresh ? '0 : squares) + SQUARE_BITS'(word_squares);
      end
    end
  end
endmodule
