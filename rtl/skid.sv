// A stream through two registers: nothing of one side's timing reaches the other.
module skid #(
    parameter int WIDTH = 8
) (
    input  logic             clk,
    input  logic             rst,
    input  logic             in_valid,
    output logic             in_ready,
    input  logic [WIDTH-1:0] in_data,
    output logic             out_valid,
    input  logic             out_ready,
    output logic [WIDTH-1:0] out_data
);
  // what came while the output register was held up
  logic waiting;
  logic [WIDTH-1:0] aside;
  logic move;
  assign in_ready = !waiting;
  assign move = !out_valid || out_ready;

  always_ff @(posedge clk) begin
    if (in_valid && in_ready) aside <= in_data;
    if (move) out_data <= waiting ? aside : in_data;
    if (rst) begin
      out_valid <= 1'b0;
      waiting   <= 1'b0;
    end else if (move) begin
      out_valid <= waiting || in_valid;
      waiting   <= 1'b0;
    end else begin
      waiting <= waiting || in_valid;
    end
  end
endmodule
