// A stream through a memory of DEPTH words, so that writer and reader need not keep step.
//
// in_ready and out_valid come from registers and depend on neither side's request of the same
// cycle. Shallow ones lie in LUTRAM; DEEP ones in block RAM, read through its output register.
module fifo #(
    parameter int WIDTH = 8,
    parameter int DEPTH = 4,
    parameter bit DEEP  = 1'b0
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
  localparam int ADDRESS_BITS = DEPTH > 1 ? $clog2(DEPTH) : 1;
  localparam int COUNT_BITS = $clog2(DEPTH + 1);

  logic [WIDTH-1:0] memory[DEPTH];
  logic [ADDRESS_BITS-1:0] write, read;
  logic [COUNT_BITS-1:0] stored;  // words in the memory
  logic put, take;
  logic some, full;  // words in the memory, as many as fit
  logic fetched;  // there is one in `found`, what the memory's read port of a deep one holds
  logic [WIDTH-1:0] found;
  assign in_ready = !full;
  assign put = in_valid && in_ready;

  always_ff @(posedge clk) begin
    if (put) memory[write] <= in_data;
    if (rst) begin
      write  <= '0;
      read   <= '0;
      stored <= '0;
      some   <= 1'b0;
      full   <= 1'b0;
    end else begin
      if (put) write <= write == ADDRESS_BITS'(DEPTH - 1) ? '0 : write + 1'b1;
      if (take) read <= read == ADDRESS_BITS'(DEPTH - 1) ? '0 : read + 1'b1;
      // counted before it is known whether a word enters or leaves
      if (put && !take) begin
        stored <= stored + 1'b1;
        some   <= 1'b1;
        full   <= stored == COUNT_BITS'(DEPTH - 1);
      end else if (!put && take) begin
        stored <= stored - 1'b1;
        some   <= stored != COUNT_BITS'(1);
        full   <= 1'b0;
      end
    end
`ifndef SYNTHESIS
    if (!rst) begin
      assert (some == (stored != '0));
      assert (full == (stored == COUNT_BITS'(DEPTH)));
    end
`endif
  end

  if (DEEP) begin : g_deep
    // a word goes on to the read port, and from there to the register, as soon as that is free
    logic moves;
    assign moves = fetched && (!out_valid || out_ready);
    assign take  = some && (!fetched || moves);
    always_ff @(posedge clk) begin
      if (take) found <= memory[read];
      if (moves) out_data <= found;
      if (rst) begin
        fetched   <= 1'b0;
        out_valid <= 1'b0;
      end else begin
        fetched   <= take || (fetched && !moves);
        out_valid <= moves || (out_valid && !out_ready);
      end
    end
  end else begin : g_shallow
    assign fetched = 1'b0;  // found and this: for proofs
    assign found = memory[read];
    assign out_valid = some;
    assign take = out_valid && out_ready;
    assign out_data = found;
    logic unused;
    assign unused = fetched;
  end
endmodule
