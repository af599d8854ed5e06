// One DSP48: a * b + c, a and b either as they come or (a + d) * b on top of the sum from above.
//
// All registers are inside. OPERANDS: a and b have one, PRODUCT: the product has one; the sum always
// does. PAIR: a and d wait in their own registers, each for its load, and `swap` takes their sum.
// CASCADE adds `above`, the sum of the DSP above, where otherwise c is added, which has a register.
// The primitive is placed where a fits its port.

// The primitive of either generation; INMODE takes D + A, or A alone.
`define VAQF_DSP(PRIMITIVE, FACTOR, MODE) \
PRIMITIVE #( \
    FACTOR, \
    .AREG(OPERANDS ? 1 : 0), \
    .ACASCREG(OPERANDS ? 1 : 0), \
    .DREG(1), \
    .ADREG(1), \
    .BREG(OPERANDS ? 1 : 0), \
    .BCASCREG(OPERANDS ? 1 : 0), \
    .CREG(1), \
    .MREG(PRODUCT ? 1 : 0), \
    .PREG(1), \
    .INMODEREG(0), \
    .OPMODEREG(0), \
    .ALUMODEREG(0), \
    .CARRYINREG(0), \
    .CARRYINSELREG(0) \
) u_dsp ( \
    .CLK(clk), \
    .A(a_wide), \
    .CEA1(1'b0), \
    .CEA2(load_a), \
    .D(d_wide), \
    .CED(load_d), \
    .CEAD(swap), \
    .B(b_wide), \
    .CEB1(1'b0), \
    .CEB2(1'b1), \
    .CEM(1'b1), \
    .C(c), \
    .CEC(1'b1), \
    .CEP(1'b1), \
    .PCIN(above), \
    .P(sum), \
    .PCOUT(below), \
    .INMODE({2'b00, PAIR, 2'b00}), \
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

module dsp48 #(
    parameter int A_BITS = 27,
    parameter int B_BITS = 18,
    parameter int D_BITS = 1,
    parameter bit OPERANDS = 1'b1,
    parameter bit PRODUCT = 1'b1,
    parameter bit PAIR = 1'b0,
    parameter bit CASCADE = 1'b0
) (
    input  logic                     clk,
    input  logic signed [A_BITS-1:0] a,
    input  logic signed [B_BITS-1:0] b,
    input  logic signed [      47:0] c,
    input  logic signed [D_BITS-1:0] d,
    input  logic                     load_a,
    input  logic                     load_d,
    input  logic                     swap,
    input  logic        [      47:0] above,
    output logic        [      47:0] sum,
    output logic        [      47:0] below    // the sum, for the DSP below alone
);
  localparam int PORT = vaqf_pkg::DSP_BITS;
  localparam bit PLACED = vaqf_pkg::PRIMITIVES != 0 && A_BITS <= PORT && D_BITS <= PORT;
  if (PLACED) begin : g_dsp
    localparam logic [2:0] ADDEND = CASCADE ? 3'b001 : 3'b011;  // the cascade, C
    logic signed [29:0] a_wide;
    logic signed [17:0] b_wide;
    logic signed [PORT-1:0] d_wide;
    assign a_wide = 30'(a);
    assign b_wide = 18'(b);
    assign d_wide = PORT'(d);

    if (vaqf_pkg::PRIMITIVES == vaqf_pkg::XCUP) begin : g_xcup
      `VAQF_DSP(DSP48E2, .AMULTSEL(PAIR ? "AD" : "A"), ({2'b00, ADDEND, 4'b0101}))
    end else begin : g_xc7
      `VAQF_DSP(DSP48E1, .USE_DPORT(PAIR ? "TRUE" : "FALSE"), ({ADDEND, 4'b0101}))
    end
  end else begin : g_portable
    localparam int FACTOR_BITS = PAIR ? (A_BITS > D_BITS ? A_BITS : D_BITS) : A_BITS;
    logic signed [A_BITS-1:0] a_q;
    logic signed [B_BITS-1:0] b_q;
    logic signed [47:0] c_q;
    logic signed [FACTOR_BITS-1:0] factor;
    logic signed [FACTOR_BITS+B_BITS-1:0] product, product_q;
    assign product = factor * b_q;
    assign below   = sum;
    if (OPERANDS) begin : g_operands
      always_ff @(posedge clk) begin
        if (load_a) a_q <= a;
        b_q <= b;
      end
    end else begin : g_no_operands
      assign a_q = a;
      assign b_q = b;
    end
    if (PAIR) begin : g_pair
      logic signed [D_BITS-1:0] d_q;
      always_ff @(posedge clk) begin
        if (load_d) d_q <= d;
        if (swap) factor <= FACTOR_BITS'(d_q) + FACTOR_BITS'(a_q);
      end
    end else begin : g_alone
      assign factor = a_q;
    end
    if (PRODUCT) begin : g_product
      always_ff @(posedge clk) product_q <= product;
    end else begin : g_no_product
      assign product_q = product;
    end
    always_ff @(posedge clk) begin
      c_q <= c;
      sum <= 48'(product_q) + (CASCADE ? above : c_q);
    end
    logic unused;
    assign unused = &{1'b0, c_q, d, load_a, load_d, swap, above};
  end
endmodule
`undef VAQF_DSP
