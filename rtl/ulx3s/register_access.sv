// One access at a time to an AXI4-Lite port: words of 32 bits, all of their bytes.
module register_access (
    input  logic        clk,
    input  logic        rst,
    input  logic        ask,         // a pulse; all below stand until `done`
    input  logic        write,
    input  logic [11:0] address,
    input  logic [31:0] write_data,
    output logic        done,        // a pulse
    output logic [31:0] read_data,   // with it

    output logic        awvalid,
    input  logic        awready,
    output logic [11:0] awaddr,
    output logic        wvalid,
    input  logic        wready,
    output logic [31:0] wdata,
    output logic [ 3:0] wstrb,
    input  logic        bvalid,
    output logic        bready,
    output logic        arvalid,
    input  logic        arready,
    output logic [11:0] araddr,
    input  logic        rvalid,
    output logic        rready,
    input  logic [31:0] rdata
);
  assign awaddr = address;
  assign araddr = address;
  assign wdata  = write_data;
  assign wstrb  = '1;
  assign bready = 1'b1;
  assign rready = 1'b1;

  always_ff @(posedge clk) begin
    awvalid <= !rst && ((ask && write) || (awvalid && !awready));
    wvalid  <= !rst && ((ask && write) || (wvalid && !wready));
    arvalid <= !rst && ((ask && !write) || (arvalid && !arready));
    done    <= !rst && (bvalid || rvalid);
    if (rvalid) read_data <= rdata;
  end
endmodule
