// One DSP48 without its multiplier: a + b, on top of the sum from above.
//
// ABOVE adds `above`, the sum of the DSP above, with which a and b come: they wait a cycle in
// registers inside. Otherwise they are added as they come. The sum has a register.

// The primitive of either generation: a at A and B side by side, b at C.
`define VAQF_DSP_ADD(PRIMITIVE, MODE) \
PRIMITIVE #( \
    .USE_MULT("NONE"), \
    .AREG(ABOVE ? 1 : 0), \
    .ACASCREG(ABOVE ? 1 : 0), \
    .DREG(1), \
    .ADREG(1), \
    .BREG(ABOVE ? 1 : 0), \
    .BCASCREG(ABOVE ? 1 : 0), \
    .CREG(ABOVE ? 1 : 0), \
    .MREG(0), \
    .PREG(1), \
    .INMODEREG(0), \
    .OPMODEREG(0), \
    .ALUMODEREG(0), \
    .CARRYINREG(0), \
    .CARRYINSELREG(0) \
) u_dsp ( \
    .CLK(clk), \
    .A(a[47:18]), \
    .CEA1(1'b0), \
    .CEA2(1'b1), \
    .D('0), \
    .CED(1'b0), \
    .CEAD(1'b0), \
    .B(a[17:0]), \
    .CEB1(1'b0), \
    .CEB2(1'b1), \
    .CEM(1'b0), \
    .C(b), \
    .CEC(1'b1), \
    .CEP(1'b1), \
    .PCIN(above), \
    .P(sum), \
    .PCOUT(below), \
    .INMODE(5'b0), \
    .OPMODE(MODE), \
    .ALUMODE(4'b0000), \
    .CARRYIN(1'b0), \
    .CARRYINSEL(3'b000), \
    .CEINMODE(1'b0), \
    .CECTRL(1'b0), \
    .CEALUMODE(1'b0), \
    .CECARRYIN(1'b0), \
    .ACIN(30'b0), \
    .BCIN(18'b0), \
    .CARRYCASCIN(1'b0), \
    .MULTSIGNIN(1'b0), \
    .RSTA(1'b0), \
    .RSTB(1'b0), \
    .RSTC(1'b0), \
    .RSTD(1'b0), \
    .RSTM(1'b0), \
    .RSTP(1'b0), \
    .RSTINMODE(1'b0), \
    .RSTCTRL(1'b0), \
    .RSTALUMODE(1'b0), \
    .RSTALLCARRYIN(1'b0) \
);

module dsp_add #(
    parameter bit ABOVE = 1'b0
) (
    input  logic        clk,
    input  logic [47:0] a,
    input  logic [47:0] b,
    input  logic [47:0] above,
    output logic [47:0] sum,
    output logic [47:0] below   // the sum, for the DSP below alone
);
  // Z: the cascade or nothing, Y: C, X: A and B
  localparam logic [6:0] TERMS = {ABOVE ? 3'b001 : 3'b000, 2'b11, 2'b11};
  if (vaqf_pkg::PRIMITIVES == vaqf_pkg::XCUP) begin : g_xcup
    `VAQF_DSP_ADD(DSP48E2, ({2'b00, TERMS}))
  end else if (vaqf_pkg::PRIMITIVES != 0) begin : g_xc7
    `VAQF_DSP_ADD(DSP48E1, TERMS)
  end else begin : g_portable
    logic [47:0] a_q, b_q, above_q;
    if (ABOVE) begin : g_above
      always_ff @(posedge clk) begin
        a_q <= a;
        b_q <= b;
      end
      assign above_q = above;
    end else begin : g_first
      assign {a_q, b_q, above_q} = {a, b, 48'b0};
    end
    always_ff @(posedge clk) sum <= a_q + b_q + above_q;
    assign below = sum;
    logic unused;
    assign unused = &{1'b0, above, TERMS};
  end
endmodule
`undef VAQF_DSP_ADD
