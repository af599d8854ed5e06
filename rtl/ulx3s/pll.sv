// The ECP5's PLL: from the board's oscillator to the clock of the design. A simulator, which has
// none, gets the oscillator's.
//
// The clock is the oscillator's times MULTIPLY over DIVIDE; times OUTPUT_DIVIDE it is the PLL's own,
// 400 to 800 MHz (FPGA-DS-02012).
module pll #(
    parameter int DIVIDE = 1,
    parameter int MULTIPLY = 2,
    parameter int OUTPUT_DIVIDE = 12
) (
    input  logic oscillator,
    output logic clk,
    output logic locked
);
`ifdef SYNTHESIS
  // its charge pump and filter: what ecppll of project Trellis sets
  (* ICP_CURRENT = "12", LPF_RESISTOR = "8", MFG_ENABLE_FILTEROPAMP = "1", MFG_GMCREF_SEL = "2" *)
  EHXPLLL #(
      .PLLRST_ENA("DISABLED"),
      .INTFB_WAKE("DISABLED"),
      .STDBY_ENABLE("DISABLED"),
      .DPHASE_SOURCE("DISABLED"),
      .OUTDIVIDER_MUXA("DIVA"),
      .OUTDIVIDER_MUXB("DIVB"),
      .OUTDIVIDER_MUXC("DIVC"),
      .OUTDIVIDER_MUXD("DIVD"),
      .CLKI_DIV(DIVIDE),
      .CLKOP_ENABLE("ENABLED"),
      .CLKOP_DIV(OUTPUT_DIVIDE),
      .CLKOP_CPHASE(OUTPUT_DIVIDE - 1),  // no shift
      .CLKOP_FPHASE(0),
      .FEEDBK_PATH("CLKOP"),
      .CLKFB_DIV(MULTIPLY)
  ) u_pll (
      .RST(1'b0),
      .STDBY(1'b0),
      .CLKI(oscillator),
      .CLKOP(clk),
      .CLKFB(clk),
      .CLKINTFB(),
      .PHASESEL0(1'b0),
      .PHASESEL1(1'b0),
      .PHASEDIR(1'b1),
      .PHASESTEP(1'b1),
      .PHASELOADREG(1'b1),
      .PLLWAKESYNC(1'b0),
      .ENCLKOP(1'b0),
      .LOCK(locked)
  );
`else
  assign clk = oscillator;
  assign locked = 1'b1;
  logic unused;
  assign unused = 1'(DIVIDE + MULTIPLY + OUTPUT_DIVIDE);
`endif
endmodule
