// A stream's promise: what is offered stays as it is until it is taken.
module follow_stream #(
    parameter int WIDTH = 1
) (
    input logic             clk,
    input logic             rst,
    input logic             valid,
    input logic             ready,
    input logic [WIDTH-1:0] data
);
  logic waits;
  logic [WIDTH-1:0] shown;
  always_ff @(posedge clk) begin
    waits <= !rst && valid && !ready;
    shown <= data;
    if (!rst && waits) assert (valid && data == shown);
  end
endmodule
