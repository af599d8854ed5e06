// Records of requantizations: two halves of each buffer, one written while the other is read.
//
// A word has a record for each of P channels, whose biases come a cycle behind. Layer norm and
// context take several words in a cycle, from as many banks; word w lies in bank w mod their number.
// Every bank has addresses of its own, in registers, as they have many bits of records to reach; so
// these are taken a cycle earlier, but for what is read of `requant`.
module parameters (
    input logic clk,
    // the half that is written and the address in it, a cycle ahead of the word
    input logic parity,
    input logic [sizes::index_bits(vaqf_pkg::RECORD_DEPTH)-1:0] record_address,
    input logic [vaqf_pkg::NORM_WORDS-1:0] norm_write,
    input logic requant_write,
    input logic [vaqf_pkg::HEAD_WORDS-1:0] context_write,
    input logic [vaqf_pkg::PE*vaqf_pkg::RECORD_BITS-1:0] record_data,
    // halves that are read
    input logic matmul_parity,
    input logic attention_parity,
    input logic [sizes::index_bits(vaqf_pkg::NORM_RECORD_DEPTH)-1:0] norm_address,
    output logic [vaqf_pkg::NORM_WORDS*vaqf_pkg::PE*vaqf_pkg::RECORD_BITS-1:0] norm_data,
    input logic [sizes::index_bits(vaqf_pkg::OUTPUT_WORDS)-1:0] requant_address,
    output logic [vaqf_pkg::PE*vaqf_pkg::RECORD_BITS-1:0] requant_data,
    input logic [sizes::index_bits(vaqf_pkg::CONTEXT_RUNS)-1:0] context_address,
    output logic [vaqf_pkg::ATTENTION_LANES*vaqf_pkg::RECORD_BITS-1:0] context_data
);
  localparam int WORD = vaqf_pkg::PE * vaqf_pkg::RECORD_BITS;

  // in registers of this module: a command's first record is wanted later
  logic of_matmul, of_attention;
  always_ff @(posedge clk) {of_matmul, of_attention} <= {matmul_parity, attention_parity};

  localparam int NORM_DEPTH = vaqf_pkg::NORM_RECORD_DEPTH;
  localparam int NORM_BITS = sizes::index_bits(2 * NORM_DEPTH);
  for (genvar i = 0; i < vaqf_pkg::NORM_WORDS; ++i) begin : g_norm
    (* keep = "true" *) logic [NORM_BITS-1:0] write_address, address;
    always_ff @(posedge clk) begin
      write_address <= NORM_BITS'(record_address) + (parity ? NORM_BITS'(NORM_DEPTH) : '0);
      address <= NORM_BITS'(norm_address) + (of_matmul ? NORM_BITS'(NORM_DEPTH) : '0);
    end
    records #(
        .DEPTH(2 * NORM_DEPTH)
    ) u_records (
        .clk,
        .write(norm_write[i]),
        .write_address,
        .write_data(record_data),
        .read_address(address),
        .read_data(norm_data[i*WORD+:WORD])
    );
  end

  localparam int DEPTH = vaqf_pkg::OUTPUT_WORDS;
  localparam int BITS = sizes::index_bits(2 * DEPTH);
  logic [BITS-1:0] requant_write_address;
  always_ff @(posedge clk)
    requant_write_address <= BITS'(record_address) + (parity ? BITS'(DEPTH) : '0);
  records #(
      .DEPTH(2 * DEPTH)
  ) u_requant (
      .clk,
      .write(requant_write),
      .write_address(requant_write_address),
      .write_data(record_data),
      .read_address(BITS'(requant_address) + (of_matmul ? BITS'(DEPTH) : '0)),
      .read_data(requant_data)
  );

  localparam int RUNS = vaqf_pkg::CONTEXT_RUNS;
  localparam int RUN_BITS = sizes::index_bits(2 * RUNS);
  for (genvar i = 0; i < vaqf_pkg::HEAD_WORDS; ++i) begin : g_context
    (* keep = "true" *) logic [RUN_BITS-1:0] write_address, address;
    always_ff @(posedge clk) begin
      write_address <= RUN_BITS'(record_address) + (parity ? RUN_BITS'(RUNS) : '0);
      address <= RUN_BITS'(context_address) + (of_attention ? RUN_BITS'(RUNS) : '0);
    end
    records #(
        .DEPTH(2 * RUNS)
    ) u_records (
        .clk,
        .write(context_write[i]),
        .write_address,
        .write_data(record_data),
        .read_address(address),
        .read_data(context_data[i*WORD+:WORD])
    );
  end

  logic unused;
  assign unused = &{1'b0, record_address};
endmodule
