// Memories of 32 words with one write address and a read address each: LUTRAM.
//
// Many small memories that are written together and read apart: the subset-sum tables, with a read
// port for every output. WIDTH is even: a column is 2 bits. Reading takes no cycle. VAQF_XCUP packs
// seven columns into a RAM32M16, VAQF_XC7 three into a RAM32M; the eighth (fourth) read port of those
// is their write address.
module lutram #(
    parameter int PORTS = 20,
    parameter int WIDTH = 2
) (
    input  logic                   clk,
    input  logic                   write,
    input  logic [            4:0] write_address,
    input  logic [WIDTH*PORTS-1:0] write_data,
    input  logic [    5*PORTS-1:0] read_address,
    output logic [WIDTH*PORTS-1:0] read_data
);
  if (vaqf_pkg::PRIMITIVES != 0) begin : g_placed
    localparam int PER_CELL = vaqf_pkg::LUTRAM_PORTS;
    localparam int COLUMNS = WIDTH / 2;
    localparam int CELLS = (PORTS * COLUMNS + PER_CELL - 1) / PER_CELL;

    // whole cells: the columns behind the last are written with zeros and read by nobody
    logic [2*PER_CELL*CELLS-1:0] data, found;
    logic [5*PER_CELL*CELLS-1:0] address;
    assign data = (2 * PER_CELL * CELLS)'(write_data);
    assign read_data = found[WIDTH*PORTS-1:0];
    for (genvar c = 0; c < PER_CELL * CELLS; ++c) begin : g_column
      if (c < PORTS * COLUMNS) begin : g_read
        assign address[5*c+:5] = read_address[5*(c/COLUMNS)+:5];
      end else begin : g_nothing
        assign address[5*c+:5] = '0;
      end
    end

    for (genvar i = 0; i < CELLS; ++i) begin : g_cell
      logic [2*PER_CELL-1:0] d, q;
      logic [5*PER_CELL-1:0] a;
      assign d = data[2*PER_CELL*i+:2*PER_CELL];
      assign a = address[5*PER_CELL*i+:5*PER_CELL];
      assign found[2*PER_CELL*i+:2*PER_CELL] = q;
      if (vaqf_pkg::PRIMITIVES == vaqf_pkg::XCUP) begin : g_xcup
        RAM32M16 u_ram (
            .DOA(q[2*0+:2]),
            .DOB(q[2*1+:2]),
            .DOC(q[2*2+:2]),
            .DOD(q[2*3+:2]),
            .DOE(q[2*4+:2]),
            .DOF(q[2*5+:2]),
            .DOG(q[2*6+:2]),
            .ADDRA(a[5*0+:5]),
            .ADDRB(a[5*1+:5]),
            .ADDRC(a[5*2+:5]),
            .ADDRD(a[5*3+:5]),
            .ADDRE(a[5*4+:5]),
            .ADDRF(a[5*5+:5]),
            .ADDRG(a[5*6+:5]),
            .ADDRH(write_address),
            .DIA(d[2*0+:2]),
            .DIB(d[2*1+:2]),
            .DIC(d[2*2+:2]),
            .DID(d[2*3+:2]),
            .DIE(d[2*4+:2]),
            .DIF(d[2*5+:2]),
            .DIG(d[2*6+:2]),
            .DIH(2'b00),
            .WCLK(clk),
            .WE(write)
        );
      end else begin : g_xc7
        RAM32M u_ram (
            .DOA(q[2*0+:2]),
            .DOB(q[2*1+:2]),
            .DOC(q[2*2+:2]),
            .ADDRA(a[5*0+:5]),
            .ADDRB(a[5*1+:5]),
            .ADDRC(a[5*2+:5]),
            .ADDRD(write_address),
            .DIA(d[2*0+:2]),
            .DIB(d[2*1+:2]),
            .DIC(d[2*2+:2]),
            .DID(2'b00),
            .WCLK(clk),
            .WE(write)
        );
      end
    end
  end else begin : g_portable
    for (genvar i = 0; i < PORTS; ++i) begin : g_port
      logic [WIDTH-1:0] words[32];
      assign read_data[WIDTH*i+:WIDTH] = words[read_address[5*i+:5]];
      always_ff @(posedge clk) if (write) words[write_address] <= write_data[WIDTH*i+:WIDTH];
    end
  end
endmodule
