// fifo.sv: count, order, content, no word lost or doubled, whoever waits for whom and however long.
module prove_fifo #(
    parameter int DEPTH = 3,
    parameter bit DEEP = 1'b0,
    localparam int WIDTH = 2,
    localparam int ADDRESS_BITS = DEPTH > 1 ? $clog2(DEPTH) : 1
) (
    input  logic             clk,
    input  logic             rst,
    input  logic             in_valid,
    input  logic [WIDTH-1:0] in_data,
    input  logic             out_ready,
    output logic             in_ready,
    output logic             out_valid
);
  logic [WIDTH-1:0] out_data;
  fifo #(
      .WIDTH(WIDTH),
      .DEPTH(DEPTH),
      .DEEP (DEEP)
  ) dut (
      .clk,
      .rst,
      .in_valid,
      .in_ready,
      .in_data,
      .out_valid,
      .out_ready,
      .out_data
  );

  (* hierconn *) wire \dut.fetched ;
  (* hierconn *) wire [WIDTH-1:0] \dut.found ;
  (* hierconn *) wire [WIDTH-1:0] \dut.memory[0] , \dut.memory[1] , \dut.memory[2] ;
  (* hierconn *) wire [ADDRESS_BITS-1:0] \dut.write , \dut.read ;
  (* hierconn *) wire [$clog2(DEPTH+1)-1:0] \dut.stored ;
  logic [$clog2(DEPTH+1):0] inside;
  follow_fifo #(
      .WIDTH(WIDTH),
      .DEPTH(DEPTH),
      .DEEP (DEEP)
  ) u_follow (
      .clk,
      .rst,
      .in_valid,
      .in_ready,
      .in_data,
      .out_valid,
      .out_ready,
      .out_data,
      .memory({\dut.memory[2] , \dut.memory[1] , \dut.memory[0] }),
      .write(\dut.write ),
      .read(\dut.read ),
      .stored(\dut.stored ),
      .fetched(\dut.fetched ),
      .found(\dut.found ),
      .inside
  );

  initial assume (rst);
  always_ff @(posedge clk) begin
    if (!rst) cover (int'(inside) == DEPTH + (DEEP ? 2 : 0));
  end
endmodule
