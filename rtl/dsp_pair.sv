// Two products in one DSP48: x times high * 2**SHIFT + low, on top of the sum from the DSP above.
//
// high and low wait in the DSP's own registers until `swap`, which comes with the first x that meets
// them; x meets the pair in the next cycle, the sum is there two cycles later. FIRST has nobody
// above: its sum starts at BIAS. VAQF_XCUP and VAQF_XC7 place the DSP by hand, so that pre-adder,
// both waiting registers and the cascade are inside.
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
  localparam int PAIR_BITS = SHIFT + M_BITS;
  logic signed [PAIR_BITS-1:0] shifted;
  assign shifted = {high, {SHIFT{1'b0}}};

`ifdef VAQF_XCUP
  `define VAQF_DSP DSP48E2
`elsif VAQF_XC7
  `define VAQF_DSP DSP48E1
`endif
`ifdef VAQF_DSP
  localparam logic [2:0] ADDEND = FIRST ? 3'b011 : 3'b001;  // C, the cascade
  logic signed [17:0] x_wide;
  logic signed [29:0] low_wide;
  assign x_wide   = 18'(x);
  assign low_wide = 30'(low);

  `VAQF_DSP #(
`ifdef VAQF_XCUP
      .AMULTSEL("AD"),
`else
      .USE_DPORT("TRUE"),
`endif
      .AREG(1),
      .ACASCREG(1),
      .DREG(1),
      .ADREG(1),
      .BREG(1),
      .BCASCREG(1),
      .MREG(1),
      .PREG(1),
      .CREG(0),
      .INMODEREG(0),
      .OPMODEREG(0),
      .ALUMODEREG(0),
      .CARRYINREG(0),
      .CARRYINSELREG(0)
  ) u_dsp (
      .CLK(clk),
      .A(low_wide),
      .CEA1(1'b0),
      .CEA2(load_low),
      .D(shifted),
      .CED(load_high),
      .CEAD(swap),
      .B(x_wide),
      .CEB1(1'b0),
      .CEB2(1'b1),
      .CEM(1'b1),
      .C(BIAS),
      .CEC(1'b0),
      .CEP(1'b1),
      .PCIN(above),
      .P(sum),
      .PCOUT(below),
      .INMODE(5'b00100),  // D + A
`ifdef VAQF_XCUP
      .OPMODE({2'b00, ADDEND, 4'b0101}),
`else
      .OPMODE({ADDEND, 4'b0101}),
`endif
      .ALUMODE(4'b0000),
      .CARRYIN(1'b0),
      .CARRYINSEL(3'b000),
      .CEINMODE(1'b0),
      .CECTRL(1'b0),
      .CEALUMODE(1'b0),
      .CECARRYIN(1'b0),
      .ACIN(30'b0),
      .BCIN(18'b0),
      .CARRYCASCIN(1'b0),
      .MULTSIGNIN(1'b0),
      .RSTA(1'b0),
      .RSTB(1'b0),
      .RSTC(1'b0),
      .RSTD(1'b0),
      .RSTM(1'b0),
      .RSTP(1'b0),
      .RSTINMODE(1'b0),
      .RSTCTRL(1'b0),
      .RSTALUMODE(1'b0),
      .RSTALLCARRYIN(1'b0),
      .ACOUT(),
      .BCOUT(),
      .CARRYCASCOUT(),
      .CARRYOUT(),
      .MULTSIGNOUT(),
      .OVERFLOW(),
      .PATTERNBDETECT(),
      .PATTERNDETECT(),
`ifdef VAQF_XCUP
      .XOROUT(),
`endif
      .UNDERFLOW()
  );
`else
  logic signed [PAIR_BITS-1:0] next_high, pair;
  logic signed [M_BITS-1:0] next_low;
  logic signed [X_BITS-1:0] factor;
  logic signed [PAIR_BITS+X_BITS-1:0] product;
  assign below = sum;

  always_ff @(posedge clk) begin
    if (load_low) next_low <= low;
    if (load_high) next_high <= shifted;
    if (swap) pair <= next_high + PAIR_BITS'(next_low);
    factor  <= x;
    product <= pair * factor;
    sum     <= 48'(product) + (FIRST ? BIAS : above);
  end
`endif
endmodule
`undef VAQF_DSP
