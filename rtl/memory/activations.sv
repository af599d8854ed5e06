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

    // results.sv, and embed_constants.sv in its place
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
    input logic [3*sizes::index_bits(vaqf_pkg::BANKS)-1:0] qkv_first,
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
  localparam int FRAMES_IN_FLIGHT = vaqf_pkg::FRAMES_IN_FLIGHT;
  localparam int RUN = vaqf_pkg::HEAD_WORDS;
  localparam int ELEMENTS = vaqf_pkg::ATTENTION_ELEMENTS;
  localparam int RESIDUAL_BITS = sizes::index_bits(vaqf_pkg::RESIDUAL_DEPTH);
  localparam int HIDDEN_BITS = sizes::index_bits(vaqf_pkg::HIDDEN_DEPTH);
  localparam int QKV_BITS = sizes::index_bits(vaqf_pkg::ATTENTION_DEPTH);
  localparam int BANK_BITS = sizes::index_bits(vaqf_pkg::BANKS);
  localparam int RESIDUAL_WORD = vaqf_pkg::RESIDUAL_WORD;
  localparam int ACT_WORD = vaqf_pkg::ACT_WORD;
  localparam int SUMS = T * vaqf_pkg::SUMS_BITS;

  // the slots of k, v, residual stream and sums lie behind each other in the same banks: each is
  // written for one command and read for one
  localparam int STREAM_DEPTH = FRAMES_IN_FLIGHT * vaqf_pkg::RESIDUAL_DEPTH;
  localparam int STREAM_BITS = sizes::index_bits(STREAM_DEPTH);
  localparam int SUMS_DEPTH = FRAMES_IN_FLIGHT * vaqf_pkg::GROUPS;
  localparam int SUMS_BITS = sizes::index_bits(SUMS_DEPTH);
  localparam int KV_DEPTH = FRAMES_IN_FLIGHT * vaqf_pkg::ATTENTION_DEPTH;
  localparam int KV_BITS = sizes::index_bits(KV_DEPTH);
  // slots, in registers of this module: a command's first address comes later
  (* keep = "true" *) logic of_matmul, of_attention;
  (* keep = "true" *) logic stream_of_matmul, sums_of_matmul;  // of their addresses
  logic second_matmul, second_attention;  // they are in the second slot
  assign second_matmul = FRAMES_IN_FLIGHT > 1 && matmul_slot;
  assign second_attention = FRAMES_IN_FLIGHT > 1 && attention_slot;
  always_ff @(posedge clk) begin
    of_matmul        <= second_matmul;
    stream_of_matmul <= second_matmul;
    sums_of_matmul   <= second_matmul;
    of_attention     <= second_attention;
  end

  // -- residual stream ---------------------------------------------------------------------------

  logic [  STREAM_BITS-1:0] stream_slot;
  logic [T*STREAM_BITS-1:0] stream_read_address;
  logic [  STREAM_BITS-1:0] stream_write_address;
  assign stream_slot = stream_of_matmul ? STREAM_BITS'(vaqf_pkg::RESIDUAL_DEPTH) : '0;
  assign stream_write_address = STREAM_BITS'(residual_address) + stream_slot;
  for (genvar e = 0; e < T; ++e) begin : g_stream
    logic [RESIDUAL_BITS-1:0] address;
    if (e < N) begin : g_both
      assign address = normalizes ? norm_address[e*RESIDUAL_BITS+:RESIDUAL_BITS] : skip_address;
    end else begin : g_skip
      assign address = skip_address;
    end
    assign stream_read_address[e*STREAM_BITS+:STREAM_BITS] = STREAM_BITS'(address) + stream_slot;
  end
  assign norm_data = skip_data[N*RESIDUAL_WORD-1:0];
  diagonal #(
      .BANKS(T),
      .ELEMENTS(T),
      .WIDTH(RESIDUAL_WORD),
      .DEPTH(STREAM_DEPTH)
  ) u_residual (
      .clk,
      .write({T{residual_write}}),
      .write_first(residual_first),
      .write_address({T{stream_write_address}}),
      .write_data(residual_data),
      .read_first(normalizes ? norm_first : skip_first),
      .read_address(stream_read_address),
      .read_data(skip_data)
  );
  // sums of T rows are wide: their addresses, and so what is written, come from registers of their own
  logic [SUMS_BITS-1:0] sums_slot, sums_write_at;
  (* keep = "true" *) logic [SUMS_BITS-1:0] sums_read_at;
  logic sums_writes;
  logic [SUMS-1:0] sums_written;
  assign sums_slot = sums_of_matmul ? SUMS_BITS'(vaqf_pkg::GROUPS) : '0;
  always_ff @(posedge clk) begin
    sums_writes   <= sums_write;
    sums_written  <= sums_data;
    sums_write_at <= SUMS_BITS'(sums_address) + sums_slot;
    sums_read_at  <= SUMS_BITS'(sums_read_address) + sums_slot;
  end
  memory #(
      .WIDTH(SUMS),
      .DEPTH(SUMS_DEPTH)
  ) u_sums (
      .clk,
      .write(sums_writes),
      .write_address(sums_write_at),
      .write_data(sums_written),
      .read_address(sums_read_at),
      .read_data(sums_read_data)
  );

  // -- q, which attention overwrites in one slot while matmuls have the other --------------------

  logic [FRAMES_IN_FLIGHT*ELEMENTS*ACT_WORD-1:0] q_read;
  for (genvar s = 0; s < FRAMES_IN_FLIGHT; ++s) begin : g_q
    logic matmul_here, attention_here;
    assign matmul_here = of_matmul == (s == 1);
    // of both
    localparam int ADDRESSES = ELEMENTS * QKV_BITS;
    localparam int WORDS = ELEMENTS * ACT_WORD;
    logic [ADDRESSES-1:0] run_reads, run_writes, matmul_reads, matmul_writes;
    logic [WORDS-1:0] run_data_in, matmul_data_in;
    logic [ELEMENTS-1:0] run_enables, matmul_enables;
    assign run_reads      = ADDRESSES'(run_address[RUN*QKV_BITS-1:0]);
    assign run_writes     = ADDRESSES'(run_write_address);
    assign run_data_in    = WORDS'(run_write_data);
    assign run_enables    = ELEMENTS'(run_write);
    assign matmul_reads   = ADDRESSES'(context_address);
    assign matmul_writes  = ADDRESSES'(qkv_address);
    assign matmul_data_in = WORDS'(qkv_data);
    assign matmul_enables = ELEMENTS'({T{qkv_write[0] && matmul_here}});

    logic [ADDRESSES-1:0] read_address, write_address;
    logic [WORDS-1:0] write_data;
    logic [ELEMENTS-1:0] write;
    logic attends_then;
    assign attends_then = attention_active && second_attention == (s == 1);
    always_ff @(posedge clk) attention_here <= attends_then;
    for (genvar e = 0; e < ELEMENTS; ++e) begin : g_element
      // all bits of an element hang on it
      (* keep = "true" *) logic attends;
      always_ff @(posedge clk) attends <= attends_then;
      assign read_address[e*QKV_BITS+:QKV_BITS] =
          attends ? run_reads[e*QKV_BITS+:QKV_BITS] : matmul_reads[e*QKV_BITS+:QKV_BITS];
      assign write_address[e*QKV_BITS+:QKV_BITS] =
          attends ? run_writes[e*QKV_BITS+:QKV_BITS] : matmul_writes[e*QKV_BITS+:QKV_BITS];
      assign write_data[e*ACT_WORD+:ACT_WORD] =
          attends ? run_data_in[e*ACT_WORD+:ACT_WORD] : matmul_data_in[e*ACT_WORD+:ACT_WORD];
      assign write[e] = attends ? run_enables[e] : matmul_enables[e];
    end
    diagonal #(
        .BANKS(vaqf_pkg::BANKS),
        .ELEMENTS(ELEMENTS),
        .WIDTH(ACT_WORD),
        .DEPTH(vaqf_pkg::ATTENTION_DEPTH)
    ) u_memory (
        .clk,
        .write,
        .write_first(attention_here ? run_write_first : qkv_first[BANK_BITS-1:0]),
        .write_address,
        .write_data,
        .read_first (attention_here ? run_first[BANK_BITS-1:0] : context_first),
        .read_address,
        .read_data  (q_read[s*ELEMENTS*ACT_WORD+:ELEMENTS*ACT_WORD])
    );
  end
  // of q_read: where the last slot begins
  localparam int LAST = (FRAMES_IN_FLIGHT - 1) * ELEMENTS * ACT_WORD;
  assign context_data = of_matmul ? q_read[LAST+:T*ACT_WORD] : q_read[T*ACT_WORD-1:0];
  assign run_data[RUN*ACT_WORD-1:0] =
      of_attention ? q_read[LAST+:RUN*ACT_WORD] : q_read[RUN*ACT_WORD-1:0];

  // -- k and v -----------------------------------------------------------------------------------

  logic [KV_BITS-1:0] write_slot, read_slot;
  assign write_slot = of_matmul ? KV_BITS'(vaqf_pkg::ATTENTION_DEPTH) : '0;
  assign read_slot  = of_attention ? KV_BITS'(vaqf_pkg::ATTENTION_DEPTH) : '0;
  logic [ELEMENTS*KV_BITS-1:0] kv_write_address;
  logic [2*ELEMENTS*ACT_WORD-1:0] kv_read;
  for (genvar e = 0; e < ELEMENTS; ++e) begin : g_write
    if (e < T) begin : g_element
      assign kv_write_address[e*KV_BITS+:KV_BITS] =
          KV_BITS'(qkv_address[e*QKV_BITS+:QKV_BITS]) + write_slot;
    end else begin : g_none
      assign kv_write_address[e*KV_BITS+:KV_BITS] = '0;
    end
  end
  for (genvar m = 1; m < 3; ++m) begin : g_kv
    logic [ELEMENTS*KV_BITS-1:0] read_address;
    for (genvar e = 0; e < ELEMENTS; ++e) begin : g_read
      if (e < RUN) begin : g_element
        assign read_address[e*KV_BITS+:KV_BITS] =
            KV_BITS'(run_address[(m*RUN+e)*QKV_BITS+:QKV_BITS]) + read_slot;
      end else begin : g_none
        assign read_address[e*KV_BITS+:KV_BITS] = '0;
      end
    end
    diagonal #(
        .BANKS(vaqf_pkg::BANKS),
        .ELEMENTS(ELEMENTS),
        .WIDTH(ACT_WORD),
        .DEPTH(KV_DEPTH)
    ) u_memory (
        .clk,
        .write(ELEMENTS'({T{qkv_write[m]}})),
        .write_first(qkv_first[m*BANK_BITS+:BANK_BITS]),
        .write_address(kv_write_address),
        .write_data((ELEMENTS * ACT_WORD)'(qkv_data)),
        .read_first(run_first[m*BANK_BITS+:BANK_BITS]),
        .read_address,
        .read_data(kv_read[(m-1)*ELEMENTS*ACT_WORD+:ELEMENTS*ACT_WORD])
    );
    assign run_data[m*RUN*ACT_WORD+:RUN*ACT_WORD] = kv_read[(m-1)*ELEMENTS*ACT_WORD+:RUN*ACT_WORD];
  end

  // -- hidden ------------------------------------------------------------------------------------

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
  assign unused = &{1'b0, q_read, kv_read, matmul_slot, attention_slot, HIDDEN_BITS[0]};
endmodule
