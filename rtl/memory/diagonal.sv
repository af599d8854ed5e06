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
  logic [ELEMENTS-1:0] write_q;
  logic [FIRST_BITS-1:0] write_by;
  logic [ELEMENTS*ADDRESS_BITS-1:0] write_address_q;
  logic [ELEMENTS*WIDTH-1:0] write_data_q;
  logic [BANKS-1:0] turned_write, bank_write;
  logic [BANKS*ADDRESS_BITS-1:0] turned_write_address, bank_write_address;
  logic [BANKS*ADDRESS_BITS-1:0] turned_read_address, bank_read_address;
  logic [BANKS*WIDTH-1:0] turned_write_data, bank_write_data, bank_read_data, in_order;
  rotate #(
      .ELEMENTS(BANKS),
      .WIDTH(1)
  ) u_write (
      .by(write_by),
      .data({{BEHIND{1'b0}}, write_q}),
      .rotated(turned_write)
  );
  rotate #(
      .ELEMENTS(BANKS),
      .WIDTH(ADDRESS_BITS)
  ) u_write_address (
      .by(write_by),
      .data({{BEHIND{write_address_q[ELEMENTS*ADDRESS_BITS-1-:ADDRESS_BITS]}}, write_address_q}),
      .rotated(turned_write_address)
  );
  // so many bits of each element are turned by a register of their own
  localparam int SLICE = 16;
  for (genvar at = 0; at < WIDTH; at += SLICE) begin : g_slice
    localparam int BITS = WIDTH - at < SLICE ? WIDTH - at : SLICE;
    (* keep = "true" *) logic [FIRST_BITS-1:0] by;
    logic [BANKS*BITS-1:0] given, turned;
    always_ff @(posedge clk) by <= write_first;
    rotate #(
        .ELEMENTS(BANKS),
        .WIDTH(BITS)
    ) u_write_data (
        .by,
        .data(given),
        .rotated(turned)
    );
    for (genvar b = 0; b < BANKS; ++b) begin : g_turned
      localparam int ELEMENT = b < ELEMENTS ? b : ELEMENTS - 1;
      assign given[b*BITS+:BITS] = write_data_q[ELEMENT*WIDTH+at+:BITS];
      assign turned_write_data[b*WIDTH+at+:BITS] = turned[b*BITS+:BITS];
    end
  end
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
    write_q            <= write;
    write_by           <= write_first;
    write_address_q    <= write_address;
    write_data_q       <= write_data;
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
