// A word, CYCLES cycles later.
module delay #(
    parameter int WIDTH  = 1,
    parameter int CYCLES = 1
) (
    input  logic             clk,
    input  logic [WIDTH-1:0] in,
    output logic [WIDTH-1:0] out
);
  if (CYCLES == 0) begin : g_wire
    assign out = in;
    logic unused;
    assign unused = &{1'b0, clk};
  end else begin : g_registers
    logic [WIDTH*CYCLES-1:0] line;
    assign out = line[WIDTH*CYCLES-1-:WIDTH];
    if (CYCLES == 1) begin : g_one
      always_ff @(posedge clk) line <= in;
    end else begin : g_many
      always_ff @(posedge clk) line <= {line[WIDTH*(CYCLES-1)-1:0], in};
    end
  end
endmodule
