// The gelu table of one matmul, with a look-up in every lane and cycle.
//
// A lane has the whole table in LUTRAM with a single port, which the write address takes while the
// table is loaded: no look-up may be on its way then. So one table is enough: between two matmuls
// with a table lies one without, behind which the next table is loaded. `clear` belongs to the
// channel of an index one cycle later; its results are 0.
module gelu (
    input  logic                                                     clk,
    input  logic                                                     write,
    input  logic [               $clog2(vaqf_pkg::GELU_ENTRIES)-1:0] write_address,
    input  logic [                           vaqf_pkg::ACT_BITS-1:0] write_data,
    input  logic [vaqf_pkg::TILE*$clog2(vaqf_pkg::GELU_ENTRIES)-1:0] index,
    input  logic [                                 vaqf_pkg::PE-1:0] clear,
    output logic [            vaqf_pkg::TILE*vaqf_pkg::ACT_BITS-1:0] result
);
  localparam int A = vaqf_pkg::ACT_BITS;
  localparam int INDEX_BITS = $clog2(vaqf_pkg::GELU_ENTRIES);

  logic write_q;
  logic [A-1:0] write_data_q;
  always_ff @(posedge clk) begin
    write_q      <= write;
    write_data_q <= write_data;
  end

  for (genvar i = 0; i < vaqf_pkg::TILE; ++i) begin : g_lane
    (* ram_style = "distributed" *) logic [A-1:0] entries[vaqf_pkg::GELU_ENTRIES];
    logic [INDEX_BITS-1:0] address;
    always_ff @(posedge clk) begin
      address <= write ? write_address : index[i*INDEX_BITS+:INDEX_BITS];
      if (write_q) entries[address] <= write_data_q;
      if (clear[i%vaqf_pkg::PE]) result[i*A+:A] <= '0;
      else result[i*A+:A] <= entries[address];
    end
  end
endmodule
