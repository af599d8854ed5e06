// The memories of frames: residual stream with its sums, q, k and v in every slot, hidden once.
//
// Matmuls work in `matmul_slot`, attention in the other one where there are two; with one slot they
// take turns. Layer norm and residual add share a read port: a command has one of them.
module activations (
    input logic clk,
    input logic matmul_slot,
    input logic normalizes,  // the matmul reads the residual stream through its layer norm
    input logic attention_slot,
    input logic attention_active,

    // rows.sv
    input logic [sizes::index_bits(vaqf_pkg::TOKENS)-1:0] norm_first,
    input logic [vaqf_pkg::NORM_TOKENS*sizes::index_bits(
vaqf_pkg::RESIDUAL_DEPTH
)-1:0] norm_address,
    output logic [vaqf_pkg::NORM_TOKENS*vaqf_pkg::RESIDUAL_WORD-1:0] norm_data,
    input logic [sizes::index_bits(vaqf_pkg::GROUPS)-1:0] sums_read_address,
    output logic [vaqf_pkg::TOKENS*vaqf_pkg::SUMS_BITS-1:0] sums_read_data,
    input logic [sizes::index_bits(vaqf_pkg::TOKENS)-1:0] hidden_read_first,
    input logic [vaqf_pkg::TOKENS*sizes::index_bits(
vaqf_pkg::HIDDEN_DEPTH
)-1:0] hidden_read_address,
    output logic [vaqf_pkg::LOAD_BITS-1:0] hidden_read_data,
    input logic [sizes::index_bits(vaqf_pkg::BANKS)-1:0] context_first,
    input logic [vaqf_pkg::TOKENS*sizes::index_bits(
vaqf_pkg::ATTENTION_DEPTH
)-1:0] context_address,
    output logic [vaqf_pkg::LOAD_BITS-1:0] context_data,

    // results.sv, and constants.sv in its place
    input logic [sizes::index_bits(vaqf_pkg::TOKENS)-1:0] skip_first,
    input logic [sizes::index_bits(vaqf_pkg::RESIDUAL_DEPTH)-1:0] skip_address,
    output logic [vaqf_pkg::TOKENS*vaqf_pkg::RESIDUAL_WORD-1:0] skip_data,
    input logic residual_write,
    input logic [sizes::index_bits(vaqf_pkg::TOKENS)-1:0] residual_first,
    input logic [sizes::index_bits(vaqf_pkg::RESIDUAL_DEPTH)-1:0] residual_address,
    input logic [vaqf_pkg::TOKENS*vaqf_pkg::RESIDUAL_WORD-1:0] residual_data,
    input logic sums_write,
    input logic [sizes::index_bits(vaqf_pkg::GROUPS)-1:0] sums_address,
    input logic [vaqf_pkg::TOKENS*vaqf_pkg::SUMS_BITS-1:0] sums_data,
    input logic hidden_write,
    input logic [sizes::index_bits(vaqf_pkg::TOKENS)-1:0] hidden_first,
    input logic [sizes::index_bits(vaqf_pkg::HIDDEN_DEPTH)-1:0] hidden_address,
    input logic [vaqf_pkg::LOAD_BITS-1:0] hidden_data,
    input logic [2:0] qkv_write,  // v, k, q
    input logic [sizes::index_bits(vaqf_pkg::BANKS)-1:0] qkv_first,
    input logic [vaqf_pkg::TOKENS*sizes::index_bits(vaqf_pkg::ATTENTION_DEPTH)-1:0] qkv_address,
    input logic [vaqf_pkg::LOAD_BITS-1:0] qkv_data,

    // attention.sv: reads of v, k, q, and the context that takes q's place
    input logic [3*sizes::index_bits(vaqf_pkg::BANKS)-1:0] run_first,
    input logic [3*vaqf_pkg::HEAD_WORDS*sizes::index_bits(
vaqf_pkg::ATTENTION_DEPTH
)-1:0] run_address,
    output logic [3*vaqf_pkg::HEAD_WORDS*vaqf_pkg::ACT_WORD-1:0] run_data,
    input logic [vaqf_pkg::HEAD_WORDS-1:0] run_write,
    input logic [sizes::index_bits(vaqf_pkg::BANKS)-1:0] run_write_first,
    input logic [vaqf_pkg::HEAD_WORDS*sizes::index_bits(
vaqf_pkg::ATTENTION_DEPTH
)-1:0] run_write_address,
    input logic [vaqf_pkg::HEAD_WORDS*vaqf_pkg::ACT_WORD-1:0] run_write_data
);
  localparam int T = vaqf_pkg::TOKENS;
  localparam int N = vaqf_pkg::NORM_TOKENS;
  localparam int SLOTS = vaqf_pkg::SLOTS;
  localparam int RUN = vaqf_pkg::HEAD_WORDS;
  localparam int ELEMENTS = vaqf_pkg::ATTENTION_ELEMENTS;
  localparam int RESIDUAL_BITS = sizes::index_bits(vaqf_pkg::RESIDUAL_DEPTH);
  localparam int HIDDEN_BITS = sizes::index_bits(vaqf_pkg::HIDDEN_DEPTH);
  localparam int QKV_BITS = sizes::index_bits(vaqf_pkg::ATTENTION_DEPTH);
  localparam int BANK_BITS = sizes::index_bits(vaqf_pkg::BANKS);
  localparam int RESIDUAL_WORD = vaqf_pkg::RESIDUAL_WORD;
  localparam int ACT_WORD = vaqf_pkg::ACT_WORD;
  localparam int SUMS = T * vaqf_pkg::SUMS_BITS;

  // what each slot reads; the slots that commands work in are chosen below
  logic [SLOTS*T*RESIDUAL_WORD-1:0] residual_read;
  logic [SLOTS*SUMS-1:0] sums_read;
  logic [SLOTS*3*ELEMENTS*ACT_WORD-1:0] qkv_read;
  logic [sizes::index_bits(SLOTS)-1:0] of_matmul, of_attention;
  if (SLOTS > 1) begin : g_slots
    assign of_matmul = matmul_slot;
    assign of_attention = attention_slot;
  end else begin : g_slot
    assign of_matmul = '0;
    assign of_attention = '0;
    logic unused;
    assign unused = &{1'b0, matmul_slot, attention_slot};
  end
  assign skip_data = residual_read[of_matmul*T*RESIDUAL_WORD+:T*RESIDUAL_WORD];
  assign norm_data = skip_data[N*RESIDUAL_WORD-1:0];
  assign sums_read_data = sums_read[of_matmul*SUMS+:SUMS];
  assign context_data = qkv_read[of_matmul*3*ELEMENTS*ACT_WORD+:T*ACT_WORD];
  for (genvar m = 0; m < 3; ++m) begin : g_run
    assign run_data[m*RUN*ACT_WORD+:RUN*ACT_WORD] =
        qkv_read[(of_attention*3+m)*ELEMENTS*ACT_WORD+:RUN*ACT_WORD];
  end

  logic [T*RESIDUAL_BITS-1:0] residual_read_address;
  assign residual_read_address =
      normalizes ? (T * RESIDUAL_BITS)'(norm_address) : {T{skip_address}};

  for (genvar s = 0; s < SLOTS; ++s) begin : g_slot_memory
    logic matmul_here, attention_here;
    assign matmul_here = of_matmul == s;
    assign attention_here = attention_active && of_attention == s;

    diagonal #(
        .BANKS(T),
        .ELEMENTS(T),
        .WIDTH(RESIDUAL_WORD),
        .DEPTH(vaqf_pkg::RESIDUAL_DEPTH)
    ) u_residual (
        .clk,
        .write({T{residual_write && matmul_here}}),
        .write_first(residual_first),
        .write_address({T{residual_address}}),
        .write_data(residual_data),
        .read_first(normalizes ? norm_first : skip_first),
        .read_address(residual_read_address),
        .read_data(residual_read[s*T*RESIDUAL_WORD+:T*RESIDUAL_WORD])
    );
    memory #(
        .WIDTH(SUMS),
        .DEPTH(vaqf_pkg::GROUPS)
    ) u_sums (
        .clk,
        .write(sums_write && matmul_here),
        .write_address(sums_address),
        .write_data(sums_data),
        .read_address(sums_read_address),
        .read_data(sums_read[s*SUMS+:SUMS])
    );

    for (genvar m = 0; m < 3; ++m) begin : g_qkv
      // attention writes and matmuls read q alone
      logic takes_turns, attention_writes;
      logic [BANK_BITS-1:0] read_first, write_first;
      logic [ELEMENTS*QKV_BITS-1:0] read_address, write_address;
      logic [ELEMENTS*ACT_WORD-1:0] write_data;
      logic [ELEMENTS-1:0] write;
      assign takes_turns = m == 0 && !attention_here;
      assign attention_writes = m == 0 && attention_here;
      assign read_first = takes_turns ? context_first : run_first[m*BANK_BITS+:BANK_BITS];
      assign read_address = takes_turns ? (ELEMENTS * QKV_BITS)'(context_address) :
          (ELEMENTS * QKV_BITS)'(run_address[m*RUN*QKV_BITS+:RUN*QKV_BITS]);
      assign write = attention_writes ? ELEMENTS'(run_write) :
          ELEMENTS'({T{qkv_write[m] && matmul_here}});
      assign write_first = attention_writes ? run_write_first : qkv_first;
      assign write_address = attention_writes ? (ELEMENTS * QKV_BITS)'(run_write_address) :
          (ELEMENTS * QKV_BITS)'(qkv_address);
      assign write_data = attention_writes ? (ELEMENTS * ACT_WORD)'(run_write_data) :
          (ELEMENTS * ACT_WORD)'(qkv_data);
      diagonal #(
          .BANKS(vaqf_pkg::BANKS),
          .ELEMENTS(ELEMENTS),
          .WIDTH(ACT_WORD),
          .DEPTH(vaqf_pkg::ATTENTION_DEPTH)
      ) u_memory (
          .clk,
          .write,
          .write_first,
          .write_address,
          .write_data,
          .read_first,
          .read_address,
          .read_data(qkv_read[(s*3+m)*ELEMENTS*ACT_WORD+:ELEMENTS*ACT_WORD])
      );
    end
  end

  diagonal #(
      .BANKS(T),
      .ELEMENTS(T),
      .WIDTH(ACT_WORD),
      .DEPTH(vaqf_pkg::HIDDEN_DEPTH)
  ) u_hidden (
      .clk,
      .write({T{hidden_write}}),
      .write_first(hidden_first),
      .write_address({T{hidden_address}}),
      .write_data(hidden_data),
      .read_first(hidden_read_first),
      .read_address(hidden_read_address),
      .read_data(hidden_read_data)
  );

  logic unused;
  assign unused = &{1'b0, qkv_read, HIDDEN_BITS[0]};
endmodule
