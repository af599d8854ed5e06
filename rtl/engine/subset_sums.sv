// Subset-sum tables of NIBBLES nibbles, of one or two generators' tokens, read by every output.
//
// A table has 16 entries in each of two banks, and a read port for every output. Tokens that are
// written together are read together too: their bits lie side by side, so that an odd width leaves
// none over. `write` has a bit for each of a generator's SHARE turns, and comes a cycle before the
// entries. `found` is what the weights of two cycles before select.
module subset_sums #(
    parameter int NIBBLES = 16,
    parameter int GENERATORS = 2,
    localparam int ENTRY_BITS = vaqf_pkg::ACT_BITS + 2,
    localparam int TOKEN_BITS = NIBBLES * ENTRY_BITS
) (
    input  logic                                                          clk,
    input  logic [                                   vaqf_pkg::SHARE-1:0] write,
    input  logic [                                                   4:0] write_address,
    // token by token
    input  logic [                             GENERATORS*TOKEN_BITS-1:0] entries,
    input  logic                                                          bank,
    input  logic [                            vaqf_pkg::PE*NIBBLES*4-1:0] weights,
    // turn by turn, token by token, output by output
    output logic [vaqf_pkg::SHARE*GENERATORS*vaqf_pkg::PE*TOKEN_BITS-1:0] found
);
  localparam int SHARE = vaqf_pkg::SHARE;
  localparam int OUTPUTS = vaqf_pkg::PE;
  localparam int COLUMNS = (GENERATORS * ENTRY_BITS + 1) / 2;
  localparam int PORTS = OUTPUTS * NIBBLES;
  // two tokens read one copy of the weights
  localparam int TURNS_PER_COPY = GENERATORS > 1 ? 1 : 2;
  localparam int COPIES = (SHARE + TURNS_PER_COPY - 1) / TURNS_PER_COPY;

  (* keep = "true" *) logic [SHARE-1:0] write_q;
  (* keep = "true" *) logic [4:0] write_address_q;
  always_ff @(posedge clk) begin
    write_q         <= write;
    write_address_q <= write_address;
  end

  // the same data for every output
  logic [2*COLUMNS*PORTS-1:0] write_data;
  for (genvar n = 0; n < NIBBLES; ++n) begin : g_nibble
    logic [2*COLUMNS-1:0] columns;
    if (GENERATORS == 2) begin : g_two
      assign columns = {
        entries[TOKEN_BITS+n*ENTRY_BITS+:ENTRY_BITS], entries[n*ENTRY_BITS+:ENTRY_BITS]
      };
    end else begin : g_one
      assign columns = (2 * COLUMNS)'(entries[n*ENTRY_BITS+:ENTRY_BITS]);
    end
    for (genvar p = 0; p < OUTPUTS; ++p) begin : g_output
      assign write_data[2*COLUMNS*(p*NIBBLES+n)+:2*COLUMNS] = columns;
    end
  end

  for (genvar i = 0; i < COPIES; ++i) begin : g_copy
    (* keep = "true" *) logic [OUTPUTS-1:0] bank_q;
    (* keep = "true" *) logic [OUTPUTS*NIBBLES*4-1:0] weights_q;
    logic [5*PORTS-1:0] read_address;
    always_ff @(posedge clk) begin
      bank_q    <= {OUTPUTS{bank}};
      weights_q <= weights;
    end
    for (genvar q = 0; q < OUTPUTS * NIBBLES; ++q) begin : g_address
      assign read_address[5*q+:5] = {bank_q[q/NIBBLES], weights_q[4*q+:4]};
    end

    for (
        genvar f = i * TURNS_PER_COPY; f < SHARE && f < (i + 1) * TURNS_PER_COPY; ++f
    ) begin : g_turn
      logic [2*COLUMNS*PORTS-1:0] read_data;
      lutram #(
          .PORTS(PORTS),
          .WIDTH(2 * COLUMNS)
      ) u_tables (
          .clk,
          .write(write_q[f]),
          .write_address(write_address_q),
          .write_data,
          .read_address,
          .read_data
      );
      for (genvar t = 0; t < GENERATORS; ++t) begin : g_token
        logic [OUTPUTS*TOKEN_BITS-1:0] read;
        for (genvar q = 0; q < OUTPUTS * NIBBLES; ++q) begin : g_entry
          assign read[q*ENTRY_BITS+:ENTRY_BITS] = read_data[2*COLUMNS*q+t*ENTRY_BITS+:ENTRY_BITS];
        end
        always_ff @(posedge clk) begin
          found[(f*GENERATORS+t)*OUTPUTS*TOKEN_BITS+:OUTPUTS*TOKEN_BITS] <= read;
        end
      end
      if (2 * COLUMNS > GENERATORS * ENTRY_BITS) begin : g_odd
        logic unused;  // half of a last column
        assign unused = &{1'b0, read_data};
      end
    end
  end
endmodule
