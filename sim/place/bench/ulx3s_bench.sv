// The bench of a board: its clock. Python sees the serial line, the reset button, and the LEDs.
module ulx3s_bench (
    output logic       clk,
    input  logic       ftdi_txd,
    output logic       ftdi_rxd,
    input  logic       fire1,
    output logic [7:0] led
);
  initial clk = 1'b0;
  always #1 clk = !clk;

  logic wifi_gpio0;
  ulx3s u_board (
      .clk_25mhz(clk),
      .ftdi_txd,
      .ftdi_rxd,
      .fire1,
      .led,
      .wifi_gpio0
  );
  always_ff @(posedge clk) assert (wifi_gpio0);
endmodule
