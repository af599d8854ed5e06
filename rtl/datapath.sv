// Where it happens: pixels, the binary path and the attention engine, between memories and the ring.
//
// The binary path is rows, engine and results. A job's `command` stands still from its start until its
// engine is done; `start` comes before the first job of a run.
module datapath (
    input logic clk,
    input logic rst,
    input logic start,
    input vaqf_pkg::job_t matmul,
    output logic matmul_done,
    input vaqf_pkg::job_t attention,
    output logic attention_done,
    // what is counted, and watched
    output logic look_up,
    output logic moves,
    // from the loader
    input vaqf_pkg::delivery_t delivery,
    output logic [sizes::bits_for(vaqf_pkg::RING_WORDS)-1:0] room,
    input vaqf_pkg::fill_t fill,
    input logic constant_valid,
    output logic constant_ready,
    input logic [vaqf_pkg::WEIGHT_BITS-1:0] constant_data,
    // images in, logits out
    output logic pixels_idle,
    input logic pixels_start,
    input vaqf_pkg::command_t pixels_command,
    input logic images_valid,
    output logic images_ready,
    input logic [vaqf_pkg::PORT_BITS-1:0] images_data,
    output logic logits_valid,
    input logic logits_ready,
    output logic [vaqf_pkg::PORT_BITS-1:0] logits_data
);
  localparam int ACT_WORD = vaqf_pkg::ACT_WORD;
  localparam int QKV_BITS = sizes::index_bits(vaqf_pkg::ATTENTION_DEPTH);
  localparam int BANK_BITS = sizes::index_bits(vaqf_pkg::BANKS);
  localparam int ROW_BITS = sizes::index_bits(vaqf_pkg::TOKENS);
  localparam int RESIDUAL_BITS = sizes::index_bits(vaqf_pkg::RESIDUAL_DEPTH);
  localparam int HIDDEN_BITS = sizes::index_bits(vaqf_pkg::HIDDEN_DEPTH);
  localparam int GROUP_BITS = sizes::index_bits(vaqf_pkg::GROUPS);
  localparam int RESIDUAL_TILE = vaqf_pkg::TOKENS * vaqf_pkg::RESIDUAL_WORD;

  // one for each, as a reset has many loads
  (* keep = "true" *)
  logic pixels_rst, rows_rst, ring_rst, engine_rst, constants_rst, results_rst, attention_rst;
  always_ff @(posedge clk) begin
    {pixels_rst, rows_rst, ring_rst, engine_rst} <= {4{rst}};
    {constants_rst, results_rst, attention_rst}  <= {3{rst}};
  end

  // -- pixels ------------------------------------------------------------------------------------

  localparam int PIXEL_BITS = sizes::index_bits(2 * vaqf_pkg::PIXEL_WORDS);
  logic pixels_stored, pixels_release;
  logic [ROW_BITS-1:0] pixels_first;
  logic [vaqf_pkg::TOKENS*PIXEL_BITS-1:0] pixels_address;
  logic [vaqf_pkg::TOKENS*8*vaqf_pkg::PE-1:0] pixels_data;
  pixels u_pixels (
      .clk,
      .rst(pixels_rst),
      .start(pixels_start),
      .command(pixels_command),
      .idle(pixels_idle),
      .in_valid(images_valid),
      .in_ready(images_ready),
      .in_data(images_data),
      .stored(pixels_stored),
      .release_group(pixels_release),
      .read_first(pixels_first),
      .read_address(pixels_address),
      .read_data(pixels_data)
  );

  // -- the binary path ---------------------------------------------------------------------------

  logic load_valid, load_ready;
  logic [vaqf_pkg::LOAD_BITS-1:0] load_data;
  logic [ROW_BITS-1:0] norm_first, hidden_read_first, hidden_first;
  logic [vaqf_pkg::NORM_TOKENS*RESIDUAL_BITS-1:0] norm_address;
  logic [vaqf_pkg::NORM_TOKENS*vaqf_pkg::RESIDUAL_WORD-1:0] norm_data;
  logic [GROUP_BITS-1:0] sums_read_address, sums_address;
  logic [vaqf_pkg::TOKENS*vaqf_pkg::SUMS_BITS-1:0] sums_read_data, row_sums_data;
  logic [sizes::index_bits(vaqf_pkg::NORM_RECORD_DEPTH)-1:0] norm_record_address;
  logic [vaqf_pkg::NORM_WORDS*vaqf_pkg::PE*vaqf_pkg::RECORD_BITS-1:0] norm_record_data;
  logic [vaqf_pkg::TOKENS*HIDDEN_BITS-1:0] hidden_read_address;
  logic [HIDDEN_BITS-1:0] hidden_address;
  logic [vaqf_pkg::LOAD_BITS-1:0] hidden_read_data, hidden_data, context_data, qkv_data;
  logic [  BANK_BITS-1:0] context_first;
  logic [3*BANK_BITS-1:0] qkv_first;
  logic [vaqf_pkg::TOKENS*QKV_BITS-1:0] context_address, qkv_address;
  rows u_rows (
      .clk,
      .rst(rows_rst),
      .start(matmul.start),
      .command(matmul.command),
      .residual_first(norm_first),
      .residual_address(norm_address),
      .residual_data(norm_data),
      .sums_address(sums_read_address),
      .sums_data(sums_read_data),
      .norm_record_address,
      .norm_record_data,
      .hidden_first(hidden_read_first),
      .hidden_address(hidden_read_address),
      .hidden_data(hidden_read_data),
      .q_first(context_first),
      .q_address(context_address),
      .q_data(context_data),
      .pixels_stored,
      .pixels_release,
      .pixels_first,
      .pixels_address,
      .pixels_data,
      .loads_valid(load_valid),
      .loads_ready(load_ready),
      .loads_data(load_data)
  );

  logic [sizes::index_bits(vaqf_pkg::RING_WORDS)-1:0] ring_offset;
  logic ring_read, ring_returns, ring_skips, ring_available, ring_release;
  logic [vaqf_pkg::RING_WORD-1:0] ring_data;
  ring u_ring (
      .clk,
      .rst(ring_rst),
      .start,
      .room,
      .reserve(fill.reserve),
      .reserve_words(fill.reserve_words),
      .fill_valid(fill.valid),
      .fill_data(fill.data),
      .matmul_start(matmul.start),
      .command_offset(matmul.command.ring_offset[$bits(ring_offset)-1:0]),
      .read(ring_read),
      .returns(ring_returns),
      .skips(ring_skips),
      .offset(ring_offset),
      .available(ring_available),
      .release_word(ring_release),
      .read_data(ring_data)
  );

  logic allowed, issued, acc_valid, sums_valid, sums_ready;
  logic [  vaqf_pkg::TILE*vaqf_pkg::ACC_BITS-1:0] acc_data;
  logic [vaqf_pkg::TOKENS*vaqf_pkg::ACC_BITS-1:0] sums_data;
  binary_engine u_engine (
      .clk,
      .rst(engine_rst),
      .start(matmul.start),
      .command(matmul.command),
      .load_valid,
      .load_ready,
      .load_data,
      .ring_offset,
      .ring_read,
      .ring_returns,
      .ring_skips,
      .ring_available,
      .ring_release,
      .ring_data,
      .allowed,
      .issued,
      .acc_valid,
      .acc_data,
      .sums_valid,
      .sums_ready,
      .sums_data
  );

  logic constant_written, result_writes, result_write, residual_write, row_sums_write;
  logic hidden_write;
  logic [ROW_BITS-1:0] constant_first, result_first, residual_first, skip_first;
  logic [RESIDUAL_BITS-1:0] constant_address, result_address, residual_address, skip_address;
  logic [RESIDUAL_TILE-1:0] constant_tile, result_tile, residual_data, skip_data;
  embed_constants u_embed_constants (
      .clk,
      .rst(constants_rst),
      .start(matmul.start),
      .command(matmul.command),
      .in_valid(constant_valid),
      .in_ready(constant_ready),
      .in_data(constant_data),
      .holds(result_writes),
      .written(constant_written),
      .write_first(constant_first),
      .write_address(constant_address),
      .write_data(constant_tile)
  );
  assign residual_write   = result_write || constant_written;
  assign residual_first   = result_write ? result_first : constant_first;
  assign residual_address = result_write ? result_address : constant_address;
  for (genvar t = 0; t < vaqf_pkg::TOKENS; ++t) begin : g_residual
    localparam int WORD = vaqf_pkg::RESIDUAL_WORD;
    (* keep = "true" *) logic of_result;  // result_write, for a token
    always_ff @(posedge clk) of_result <= result_writes;
    assign residual_data[t*WORD+:WORD] =
        of_result ? result_tile[t*WORD+:WORD] : constant_tile[t*WORD+:WORD];
  end

  logic [sizes::index_bits(vaqf_pkg::OUTPUT_WORDS)-1:0] requant_address;
  logic [vaqf_pkg::PE*vaqf_pkg::RECORD_BITS-1:0] requant_data;
  logic [2:0] qkv_write;
  logic logits_last;
  results u_results (
      .clk,
      .rst(results_rst),
      .start(matmul.start),
      .command(matmul.command),
      .done(matmul_done),
      .allowed,
      .issued,
      .constant_written,
      .acc_valid,
      .acc_data,
      .sums_valid,
      .sums_ready,
      .sums_data,
      .record_address(requant_address),
      .record_data(requant_data),
      .gelu_write(delivery.gelu_write),
      .gelu_address(delivery.gelu_address),
      .gelu_data(delivery.gelu_data),
      .q_write(qkv_write[0]),
      .k_write(qkv_write[1]),
      .v_write(qkv_write[2]),
      .qkv_first,
      .qkv_address,
      .qkv_data,
      .hidden_write,
      .hidden_first,
      .hidden_address,
      .hidden_data,
      .residual_read_first(skip_first),
      .residual_read_address(skip_address),
      .residual_read_data(skip_data),
      .residual_writes(result_writes),
      .residual_write(result_write),
      .residual_write_first(result_first),
      .residual_write_address(result_address),
      .residual_write_data(result_tile),
      .row_sums_write,
      .row_sums_address(sums_address),
      .row_sums_data,
      .logits_valid,
      .logits_ready,
      .logits_data,
      .logits_last
  );

  // -- attention ---------------------------------------------------------------------------------

  logic [3*BANK_BITS-1:0] run_first;
  logic [3*vaqf_pkg::HEAD_WORDS*QKV_BITS-1:0] run_address;
  logic [3*vaqf_pkg::HEAD_WORDS*ACT_WORD-1:0] run_data;
  logic [vaqf_pkg::HEAD_WORDS-1:0] run_write;
  logic [BANK_BITS-1:0] run_write_first;
  logic [vaqf_pkg::HEAD_WORDS*QKV_BITS-1:0] run_write_address;
  logic [vaqf_pkg::HEAD_WORDS*ACT_WORD-1:0] run_write_data;
  logic [sizes::index_bits(vaqf_pkg::CONTEXT_RUNS)-1:0] context_record_address;
  logic [vaqf_pkg::ATTENTION_LANES*vaqf_pkg::RECORD_BITS-1:0] context_record_data;
  localparam int RUN_BITS = vaqf_pkg::HEAD_WORDS * QKV_BITS;
  localparam int RUN_WORD = vaqf_pkg::HEAD_WORDS * ACT_WORD;
  attention u_attention (
      .clk,
      .rst(attention_rst),
      .start(attention.start),
      .command(attention.command),
      .done(attention_done),
      .q_read_first(run_first[0*BANK_BITS+:BANK_BITS]),
      .q_read_address(run_address[0*RUN_BITS+:RUN_BITS]),
      .q_read_data(run_data[0*RUN_WORD+:RUN_WORD]),
      .k_read_first(run_first[1*BANK_BITS+:BANK_BITS]),
      .k_read_address(run_address[1*RUN_BITS+:RUN_BITS]),
      .k_read_data(run_data[1*RUN_WORD+:RUN_WORD]),
      .v_read_first(run_first[2*BANK_BITS+:BANK_BITS]),
      .v_read_address(run_address[2*RUN_BITS+:RUN_BITS]),
      .v_read_data(run_data[2*RUN_WORD+:RUN_WORD]),
      .q_write(run_write),
      .q_write_first(run_write_first),
      .q_write_address(run_write_address),
      .q_write_data(run_write_data),
      .record_address(context_record_address),
      .record_data(context_record_data)
  );

  // -- memories ----------------------------------------------------------------------------------

  logic normalizes;
  always_ff @(posedge clk) begin
    normalizes <= matmul.command.source == 4'(vaqf_pkg::SOURCE_NORM) ||
                  matmul.command.source == 4'(vaqf_pkg::SOURCE_NORM_PREFIX);
  end
  activations u_activations (
      .clk,
      .matmul_slot(matmul.slot),
      .normalizes,
      .attention_slot(attention.slot),
      .attention_active(attention.busy),
      .norm_first,
      .norm_address,
      .norm_data,
      .sums_read_address,
      .sums_read_data,
      .hidden_read_first,
      .hidden_read_address,
      .hidden_read_data,
      .context_first,
      .context_address,
      .context_data,
      .skip_first,
      .skip_address,
      .skip_data,
      .residual_write,
      .residual_first,
      .residual_address,
      .residual_data,
      .sums_write(row_sums_write),
      .sums_address,
      .sums_data(row_sums_data),
      .hidden_write,
      .hidden_first,
      .hidden_address,
      .hidden_data,
      .qkv_write,
      .qkv_first,
      .qkv_address,
      .qkv_data,
      .run_first,
      .run_address,
      .run_data,
      .run_write,
      .run_write_first,
      .run_write_address,
      .run_write_data
  );
  parameters u_parameters (
      .clk,
      .parity(delivery.parity),
      .norm_write(delivery.norm_write),
      .requant_write(delivery.requant_write),
      .context_write(delivery.context_write),
      .record_address(delivery.record_address),
      .record_data(delivery.record_data),
      .matmul_parity(matmul.parity),
      .attention_parity(attention.parity),
      .norm_address(norm_record_address),
      .norm_data(norm_record_data),
      .requant_address,
      .requant_data,
      .context_address(context_record_address),
      .context_data(context_record_data)
  );

  assign look_up = ring_read;
  assign moves   = |{load_valid && load_ready, ring_read, run_write};

  logic unused;
  assign unused = &{1'b0, logits_last, matmul, attention, delivery};
endmodule
