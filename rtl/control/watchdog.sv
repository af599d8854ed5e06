// Says that nothing has moved for CYCLES cycles; again only after `restart`.
module watchdog #(
    parameter int CYCLES = 2 ** 20
) (
    input  logic clk,
    input  logic restart,
    input  logic moved,
    output logic expired
);
  localparam int COUNT_BITS = sizes::bits_for(CYCLES);

  logic [COUNT_BITS-1:0] quiet;
  always_ff @(posedge clk) begin
    if (restart || (moved && !expired)) quiet <= '0;
    else if (!expired) quiet <= quiet + 1'b1;
  end
  assign expired = quiet == COUNT_BITS'(CYCLES);
endmodule
