// Two products in one DSP48: x times high * 2**SHIFT + low, on top of the sum from the DSP above.
//
// high and low wait in the DSP's own registers until `swap`, which comes with the first x that meets
// them; x meets the pair in the next cycle, the sum is there two cycles later. FIRST has nobody
// above: its sum starts at BIAS.
module dsp_pair #(
    parameter int M_BITS = 8,
    parameter int X_BITS = 8,
    parameter int SHIFT = 19,
    parameter bit FIRST = 1'b1,
    parameter logic [47:0] BIAS = '0
) (
    input  logic                     clk,
    input  logic                     load_low,
    input  logic                     load_high,
    input  logic signed [M_BITS-1:0] low,
    input  logic signed [M_BITS-1:0] high,
    input  logic                     swap,
    input  logic signed [X_BITS-1:0] x,
    input  logic        [      47:0] above,
    output logic        [      47:0] sum,
    output logic        [      47:0] below       // the sum, for the DSP below alone
);
  dsp48 #(
      .A_BITS(M_BITS),
      .B_BITS(X_BITS),
      .D_BITS(SHIFT + M_BITS),
      .PAIR(1'b1),
      .CASCADE(!FIRST)
  ) u_dsp (
      .clk,
      .a(low),
      .b(x),
      .c(BIAS),
      .d({high, {SHIFT{1'b0}}}),
      .load_a(load_low),
      .load_d(load_high),
      .swap,
      .above,
      .sum,
      .below
  );
endmodule
