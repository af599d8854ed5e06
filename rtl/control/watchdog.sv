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
    if (restart || (moved && !expired)) begin
      quiet   <= '0;
      expired <= 1'b0;
    end else if (!expired) begin
      quiet   <= quiet + 1'b1;
      expired <= quiet == COUNT_BITS'(CYCLES - 1);
    end
  end
endmodule
