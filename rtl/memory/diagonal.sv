// Consecutive elements in consecutive banks: element e of an access lies in bank (first + e) mod
// BANKS, each at an address of its own, so that no access meets a bank twice.
//
// ELEMENTS is at most BANKS, `first` always less. A read sees what was written DIAGONAL_WRITE cycles
// before it or earlier, and in the cycle of a write still the old word.
module diagonal #(
    parameter int BANKS = 4,
    parameter int ELEMENTS = 3,
    parameter int WIDTH = 8,
    parameter int DEPTH = 16
) (
    input  logic                                         clk,
    input  logic [                         ELEMENTS-1:0] write,
    input  logic [         sizes::index_bits(BANKS)-1:0] write_first,
    input  logic [ELEMENTS*sizes::index_bits(DEPTH)-1:0] write_address,
    input  logic [                   ELEMENTS*WIDTH-1:0] write_data,
    input  logic [         sizes::index_bits(BANKS)-1:0] read_first,
    input  logic [ELEMENTS*sizes::index_bits(DEPTH)-1:0] read_address,
    output logic [                   ELEMENTS*WIDTH-1:0] read_data
);
  localparam int ADDRESS_BITS = sizes::index_bits(DEPTH);
  localparam int FIRST_BITS = sizes::index_bits(BANKS);
  localparam int BEHIND = BANKS - ELEMENTS;  // banks that an access does not meet

  // elements behind the last repeat it: where all are equal, no multiplexer remains
  logic [BANKS-1:0] turned_write, bank_write;
  logic [BANKS*ADDRESS_BITS-1:0] turned_write_address, bank_write_address;
  logic [BANKS*ADDRESS_BITS-1:0] turned_read_address, bank_read_address;
  logic [BANKS*WIDTH-1:0] turned_write_data, bank_write_data, bank_read_data, in_order;
  rotate #(
      .ELEMENTS(BANKS),
      .WIDTH(1)
  ) u_write (
      .by(write_first),
      .data({{BEHIND{1'b0}}, write}),
      .rotated(turned_write)
  );
  rotate #(
      .ELEMENTS(BANKS),
      .WIDTH(ADDRESS_BITS)
  ) u_write_address (
      .by(write_first),
      .data({{BEHIND{write_address[ELEMENTS*ADDRESS_BITS-1-:ADDRESS_BITS]}}, write_address}),
      .rotated(turned_write_address)
  );
  rotate #(
      .ELEMENTS(BANKS),
      .WIDTH(WIDTH)
  ) u_write_data (
      .by(write_first),
      .data({{BEHIND{write_data[ELEMENTS*WIDTH-1-:WIDTH]}}, write_data}),
      .rotated(turned_write_data)
  );
  rotate #(
      .ELEMENTS(BANKS),
      .WIDTH(ADDRESS_BITS)
  ) u_read_address (
      .by(read_first),
      .data({{BEHIND{read_address[ELEMENTS*ADDRESS_BITS-1-:ADDRESS_BITS]}}, read_address}),
      .rotated(turned_read_address)
  );

  for (genvar b = 0; b < BANKS; ++b) begin : g_bank
    memory #(
        .WIDTH(WIDTH),
        .DEPTH(DEPTH)
    ) u_memory (
        .clk,
        .write(bank_write[b]),
        .write_address(bank_write_address[b*ADDRESS_BITS+:ADDRESS_BITS]),
        .write_data(bank_write_data[b*WIDTH+:WIDTH]),
        .read_address(bank_read_address[b*ADDRESS_BITS+:ADDRESS_BITS]),
        .read_data(bank_read_data[b*WIDTH+:WIDTH])
    );
  end

  // read_first for as long as its words are on their way
  logic [(latency::MEMORY+1)*FIRST_BITS-1:0] firsts;
  rotate #(
      .ELEMENTS(BANKS),
      .WIDTH(WIDTH),
      .BACK(1'b1)
  ) u_read_data (
      .by(firsts[latency::MEMORY*FIRST_BITS+:FIRST_BITS]),
      .data(bank_read_data),
      .rotated(in_order)
  );

  always_ff @(posedge clk) begin
    bank_write         <= turned_write;
    bank_write_address <= turned_write_address;
    bank_write_data    <= turned_write_data;
    bank_read_address  <= turned_read_address;
    firsts             <= {firsts[latency::MEMORY*FIRST_BITS-1:0], read_first};
    read_data          <= in_order[ELEMENTS*WIDTH-1:0];
`ifndef SYNTHESIS
    if (|write) assert (int'(write_first) < BANKS);
`endif
  end

  if (BEHIND > 0) begin : g_behind
    logic unused;
    assign unused = &{1'b0, in_order[BANKS*WIDTH-1:ELEMENTS*WIDTH]};
  end
endmodule
