// Where the words of a run lie in the banks of q, k or v: what diagonal.sv asks for.
//
// `address` is the token's. Takes latency::RUN_ADDRESS cycles.
module run_address #(
    localparam int WORDS = vaqf_pkg::HEAD_WORDS,
    localparam int BANK_BITS = sizes::index_bits(vaqf_pkg::BANKS),
    localparam int ADDRESS_BITS = sizes::index_bits(vaqf_pkg::ATTENTION_DEPTH),
    localparam int RUN_BITS = sizes::index_bits(vaqf_pkg::CONTEXT_RUNS)
) (
    input  logic                          clk,
    input  logic [         BANK_BITS-1:0] token,     // its low bits
    input  logic [      ADDRESS_BITS-1:0] address,
    input  logic [          RUN_BITS-1:0] run,
    output logic [         BANK_BITS-1:0] first,
    output logic [WORDS*ADDRESS_BITS-1:0] addresses
);
  localparam int BANKS = vaqf_pkg::BANKS;
  localparam int WORD_BITS = RUN_BITS + sizes::bits_for(WORDS);
  localparam int IN_BITS = BANKS > 1 ? BANK_BITS : 0;  // of a word's number: its bank

  logic [WORD_BITS-1:0] word;
  logic [BANK_BITS-1:0] token_q;
  logic [ADDRESS_BITS-1:0] address_q, row;
  assign row = address_q + ADDRESS_BITS'(32'(word) >> IN_BITS);

  always_ff @(posedge clk) begin
    word      <= run * WORD_BITS'(WORDS);
    token_q   <= token;
    address_q <= address;
    first     <= BANKS > 1 ? token_q + BANK_BITS'(word) : '0;
  end

  for (genvar i = 0; i < WORDS; ++i) begin : g_word
    logic wraps;  // into the next row of banks
    assign wraps = int'(word) % BANKS + i >= BANKS;
    always_ff @(posedge clk) addresses[i*ADDRESS_BITS+:ADDRESS_BITS] <= row + ADDRESS_BITS'(wraps);
  end
endmodule
