// The sum of COUNT unsigned numbers of WIDTH bits, as add_tree's, but its first additions on DSPs.
//
// Four numbers add up in a field of WIDTH + 2 bits without a carry into the next, and 48 bits have
// several such fields: one DSP adds two numbers in each, the one below two more on top of them. Two
// cycles from numbers to sums of four, for which no DSP needs its SIMD mode; then add_tree. The
// estimate counts DSPs and adders by the same rule (packed_tree in vaqf/resources/quantities.py).
module packed_tree #(
    parameter int COUNT = 16,
    parameter int WIDTH = 10,
    localparam int SUM_BITS = sizes::bits_for(COUNT * (2 ** WIDTH - 1))
) (
    input  logic                   clk,
    input  logic [COUNT*WIDTH-1:0] numbers,
    output logic [   SUM_BITS-1:0] sum
);
  localparam int DSP_SUM = 48;
  localparam int FIELD = WIDTH + 2;
  localparam int FIELDS = DSP_SUM / FIELD;
  localparam int FOURS = (COUNT + 3) / 4;
  localparam int PAIRS = (FOURS + FIELDS - 1) / FIELDS;

  logic [FOURS*FIELD-1:0] fours;
  for (genvar j = 0; j < PAIRS; ++j) begin : g_pair
    // the last pair has what is left
    localparam int USED = FOURS - j * FIELDS < FIELDS ? FOURS - j * FIELDS : FIELDS;
    logic [4*DSP_SUM-1:0] operands;
    for (genvar n = 0; n < 4; ++n) begin : g_operand
      for (genvar f = 0; f < USED; ++f) begin : g_field
        localparam int INDEX = 4 * (j * FIELDS + f) + n;
        if (INDEX < COUNT) begin : g_number
          assign operands[n*DSP_SUM+f*FIELD+:FIELD] = FIELD'(numbers[INDEX*WIDTH+:WIDTH]);
        end else begin : g_none
          assign operands[n*DSP_SUM+f*FIELD+:FIELD] = '0;
        end
      end
      if (USED * FIELD < DSP_SUM) begin : g_above
        assign operands[n*DSP_SUM+USED*FIELD+:DSP_SUM-USED*FIELD] = '0;
      end
    end

    logic [DSP_SUM-1:0] twos, twos_seen, sums, sums_below;
    dsp_add #(
        .ABOVE(1'b0)
    ) u_first (
        .clk,
        .a(operands[0*DSP_SUM+:DSP_SUM]),
        .b(operands[1*DSP_SUM+:DSP_SUM]),
        .above('0),
        .sum(twos_seen),
        .below(twos)
    );
    dsp_add #(
        .ABOVE(1'b1)
    ) u_second (
        .clk,
        .a(operands[2*DSP_SUM+:DSP_SUM]),
        .b(operands[3*DSP_SUM+:DSP_SUM]),
        .above(twos),
        .sum(sums),
        .below(sums_below)
    );
    assign fours[j*FIELDS*FIELD+:USED*FIELD] = sums[USED*FIELD-1:0];
    logic unused;  // nothing carries into the bits behind the fields
    assign unused = &{1'b0, twos_seen, sums, sums_below};
  end

  // of numbers that could be four times the largest: wider than what COUNT of them reach
  localparam int WIDE_BITS = sizes::bits_for(FOURS * (2 ** FIELD - 1));
  logic [WIDE_BITS-1:0] wide;
  add_tree #(
      .COUNT(FOURS),
      .WIDTH(FIELD)
  ) u_tree (
      .clk,
      .numbers(fours),
      .sum(wide)
  );
  assign sum = SUM_BITS'(wide);
  logic unused_top;
  assign unused_top = &{1'b0, wide};
endmodule
