// A flag, CYCLES cycles later; those on the way are forgotten at a reset.
module delay_flag #(
    parameter int CYCLES = 1
) (
    input  logic clk,
    input  logic rst,
    input  logic in,
    output logic out
);
  if (CYCLES == 0) begin : g_wire
    assign out = in;
    logic unused;
    assign unused = &{1'b0, clk, rst};
  end else begin : g_registers
    logic [CYCLES:0] line;
    assign line[0] = in;
    assign out = line[CYCLES];
    always_ff @(posedge clk) begin
      if (rst) line[CYCLES:1] <= '0;
      else line[CYCLES:1] <= line[CYCLES-1:0];
    end
  end
endmodule
