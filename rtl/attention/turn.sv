// Turns softmax numerators: they come as rows of one key and leave as keys of one row, R of each.
//
// Value (row, key) lies in bank (row + key) mod R, so that neither meets a bank twice. Two halves.
// Of a key, the rows that `write` names are stored; they are seen by reads that come a cycle later.
// A row's keys leave latency::TURN cycles behind `read_row`.
module turn #(
    parameter int SIZE = vaqf_pkg::ATTENTION_ROWS,
    parameter int BITS = vaqf_pkg::EXP_BITS
) (
    input  logic                               clk,
    input  logic [                   SIZE-1:0] write,
    input  logic                               write_half,
    input  logic [sizes::index_bits(SIZE)-1:0] write_key,
    input  logic [              SIZE*BITS-1:0] write_rows,
    input  logic                               read_half,
    input  logic [sizes::index_bits(SIZE)-1:0] read_row,
    output logic [              SIZE*BITS-1:0] read_keys
);
  localparam int INDEX_BITS = sizes::index_bits(SIZE);

  logic [SIZE-1:0] turned_write, bank_write;
  logic [SIZE*BITS-1:0] turned_rows, bank_rows, bank_keys, in_order;
  logic [INDEX_BITS:0] place;  // of a key in its banks
  rotate #(
      .ELEMENTS(SIZE),
      .WIDTH(1)
  ) u_write (
      .by(write_key),
      .data(write),
      .rotated(turned_write)
  );
  rotate #(
      .ELEMENTS(SIZE),
      .WIDTH(BITS)
  ) u_rows (
      .by(write_key),
      .data(write_rows),
      .rotated(turned_rows)
  );
  always_ff @(posedge clk) begin
    bank_write <= turned_write;
    bank_rows  <= turned_rows;
    place      <= {write_half, write_key};
  end

  // Of a bank, the key of each row: a table, of which tools make a LUT a bit where a difference is a
  // chain of them.
  function automatic logic [SIZE*INDEX_BITS-1:0] keys_of(input int bank);
    for (int r = 0; r < SIZE; ++r) begin
      keys_of[r*INDEX_BITS+:INDEX_BITS] = INDEX_BITS'((bank + SIZE - r) % SIZE);
    end
  endfunction

  for (genvar b = 0; b < SIZE; ++b) begin : g_bank
    localparam logic [SIZE*INDEX_BITS-1:0] KEYS = keys_of(b);
    logic [BITS-1:0] values[2**(INDEX_BITS+1)];
    logic [INDEX_BITS:0] wanted;
    always_ff @(posedge clk) begin
      if (bank_write[b]) values[place] <= bank_rows[b*BITS+:BITS];
      wanted[INDEX_BITS] <= read_half;
      wanted[INDEX_BITS-1:0] <= KEYS[int'(read_row)*INDEX_BITS+:INDEX_BITS];
      bank_keys[b*BITS+:BITS] <= values[wanted];
    end
  end

  logic [INDEX_BITS-1:0] row;
  delay #(
      .WIDTH (INDEX_BITS),
      .CYCLES(latency::TURN - 1)
  ) u_row (
      .clk,
      .in (read_row),
      .out(row)
  );
  rotate #(
      .ELEMENTS(SIZE),
      .WIDTH(BITS),
      .BACK(1'b1)
  ) u_keys (
      .by(row),
      .data(bank_keys),
      .rotated(in_order)
  );
  always_ff @(posedge clk) read_keys <= in_order;
endmodule
