// The sum of COUNT unsigned numbers of WIDTH bits: levels of ternary adders, a register after each.
//
// It takes latency::add_tree(COUNT) cycles; one number is passed on as it is.
module add_tree #(
    parameter int COUNT = 16,
    parameter int WIDTH = 10,
    localparam int SUM_BITS = sizes::bits_for(COUNT * (2 ** WIDTH - 1))
) (
    input  logic                   clk,
    input  logic [COUNT*WIDTH-1:0] numbers,
    output logic [   SUM_BITS-1:0] sum
);
  localparam int LEVELS = latency::add_tree(COUNT);
  localparam int MOST = 2 ** WIDTH - 1;

  for (genvar i = 0; i < LEVELS; ++i) begin : g_level
    localparam int LEAVES = 3 ** (i + 1);  // under a sum, if there are enough
    localparam int GIVEN = (COUNT + LEAVES / 3 - 1) / (LEAVES / 3);
    localparam int GIVEN_BITS = sizes::bits_for(LEAVES / 3 * MOST);
    localparam int SUMS = (COUNT + LEAVES - 1) / LEAVES;
    localparam int BITS = sizes::bits_for((LEAVES < COUNT ? LEAVES : COUNT) * MOST);
    logic [GIVEN*GIVEN_BITS-1:0] given;
    logic [SUMS*BITS-1:0] sums;
    if (i == 0) begin : g_first
      assign given = numbers;
    end else begin : g_next
      assign given = g_level[i-1].sums;
    end

    for (genvar j = 0; j < SUMS; ++j) begin : g_sum
      // the last sum has what is left: fewer operands, fewer bits
      localparam int OPERANDS = GIVEN - 3 * j;
      localparam int UNDER = COUNT - LEAVES * j < LEAVES ? COUNT - LEAVES * j : LEAVES;
      localparam int USED = sizes::bits_for(UNDER * MOST);
      logic [GIVEN_BITS+1:0] total;
      if (OPERANDS >= 3) begin : g_three
        ternary_add #(
            .WIDTH(GIVEN_BITS)
        ) u_add (
            .a  (given[(3*j+0)*GIVEN_BITS+:GIVEN_BITS]),
            .b  (given[(3*j+1)*GIVEN_BITS+:GIVEN_BITS]),
            .c  (given[(3*j+2)*GIVEN_BITS+:GIVEN_BITS]),
            .sum(total)
        );
      end else if (OPERANDS == 2) begin : g_two
        assign total = (GIVEN_BITS + 2)'(given[3*j*GIVEN_BITS+:GIVEN_BITS]) +
            (GIVEN_BITS + 2)'(given[(3*j+1)*GIVEN_BITS+:GIVEN_BITS]);
      end else begin : g_one
        assign total = (GIVEN_BITS + 2)'(given[3*j*GIVEN_BITS+:GIVEN_BITS]);
      end
      always_ff @(posedge clk) sums[j*BITS+:BITS] <= BITS'(total[USED-1:0]);

      logic unused_top;  // what the sum cannot reach
      assign unused_top = &{1'b0, total};
    end
  end

  if (LEVELS == 0) begin : g_alone
    assign sum = numbers;
  end else begin : g_tree
    assign sum = g_level[LEVELS-1].sums;
  end

  logic unused;  // a number alone needs no clock
  assign unused = &{1'b0, clk};
endmodule
