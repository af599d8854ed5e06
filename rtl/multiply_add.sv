// a * b + c, as one DSP48 has it: registers of operands, product and sum.
//
// c comes a cycle behind a and b, so that whoever shares it keeps it waiting once. VAQF_XCUP and
// VAQF_XC7 place the DSP by hand where a fits its port, so that adder and registers are inside.
module multiply_add #(
    parameter int A_BITS = 27,
    parameter int B_BITS = 18
) (
    input  logic                     clk,
    input  logic signed [A_BITS-1:0] a,
    input  logic signed [B_BITS-1:0] b,
    input  logic signed [      47:0] c,
    output logic signed [      47:0] sum
);
`ifdef VAQF_XCUP
  `define VAQF_DSP DSP48E2
  localparam int A_PORT = 27;
`elsif VAQF_XC7
  `define VAQF_DSP DSP48E1
  localparam int A_PORT = 25;
`else
  localparam int A_PORT = 0;
`endif
  if (A_BITS <= A_PORT) begin : g_dsp
`ifdef VAQF_DSP
    logic signed [29:0] a_wide;
    logic signed [17:0] b_wide;
    assign a_wide = 30'(a);
    assign b_wide = 18'(b);
    `VAQF_DSP #(
        .AREG(1),
        .ACASCREG(1),
        .BREG(1),
        .BCASCREG(1),
        .CREG(1),
        .MREG(1),
        .PREG(1),
        .INMODEREG(0),
        .OPMODEREG(0),
        .ALUMODEREG(0),
        .CARRYINREG(0),
        .CARRYINSELREG(0)
    ) u_dsp (
        .CLK(clk),
        .A(a_wide),
        .CEA1(1'b0),
        .CEA2(1'b1),
        .D('0),
        .CED(1'b0),
        .CEAD(1'b0),
        .B(b_wide),
        .CEB1(1'b0),
        .CEB2(1'b1),
        .CEM(1'b1),
        .C(c),
        .CEC(1'b1),
        .CEP(1'b1),
        .PCIN(48'b0),
        .P(sum),
        .PCOUT(),
        .INMODE(5'b00000),  // A alone
`ifdef VAQF_XCUP
        .OPMODE(9'b00_011_01_01),  // C and the product
`else
        .OPMODE(7'b011_01_01),
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
`endif
  end else begin : g_portable
    logic signed [A_BITS-1:0] a_q;
    logic signed [B_BITS-1:0] b_q;
    logic signed [47:0] c_q;
    logic signed [A_BITS+B_BITS-1:0] product;
    always_ff @(posedge clk) begin
      a_q     <= a;
      b_q     <= b;
      c_q     <= c;
      product <= a_q * b_q;
      sum     <= 48'(product) + c_q;
    end
  end
endmodule
`undef VAQF_DSP
