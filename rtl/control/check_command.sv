// Whether this design can run a command: the rules of check.hpp, in the same order.
//
// `start` finds `command`, which stands still until `done`; `good` is the verdict, with `done`. The
// products and quotients of the rules are made a few bits per cycle: every DSP belongs to an engine,
// and commands are checked once in a run.
module check_command (
    input  logic               clk,
    input  logic               rst,
    input  logic               start,
    input  vaqf_pkg::command_t command,
    output logic               done,
    output logic               good
);
  localparam int PE = vaqf_pkg::PE;
  // of sizes as commands have them, and of those rounded up
  localparam int FIELD_BITS = $bits(command.k_words);
  localparam int SUM_BITS = FIELD_BITS + 1;
  localparam int DIVIDE = (SUM_BITS + 1) / 2;  // cycles: two bits each
  localparam int MULTIPLY = (FIELD_BITS + 3) / 4;  // cycles: four bits each
  localparam int RULES = 2;  // registers: each rule, all of them
  localparam int CYCLES = DIVIDE + 1 + MULTIPLY + RULES;

  logic [CYCLES:0] at;  // one hot: cycles since the start
  logic divides, multiplies, take_quotients;
  assign divides = |at[DIVIDE-1:0];
  assign take_quotients = at[DIVIDE];
  assign multiplies = |at[DIVIDE+MULTIPLY:DIVIDE+1];
  always_ff @(posedge clk) at <= rst ? '0 : {at[CYCLES-1:0], start};
  assign done = at[CYCLES];

  // -- numbers -----------------------------------------------------------------------------------

  // channels of so many words; the words of a token's `dim` channels are compared by these
  logic [31:0] inputs, outputs, behind_dim;
  always_comb begin
    inputs  = '0;
    outputs = '0;
    for (int i = 0; i < 32; ++i) begin
      if (vaqf_pkg::PE[i]) inputs += 32'(command.k_words) << i;
      if (vaqf_pkg::PE[i]) outputs += 32'(command.n_words) << i;
    end
  end
  assign behind_dim = 32'(command.dim) + 32'(PE);
  logic inputs_are_dim, outputs_are_dim;
  assign inputs_are_dim  = inputs >= 32'(command.dim) && inputs < behind_dim;
  assign outputs_are_dim = outputs >= 32'(command.dim) && outputs < behind_dim;

  // K slices of the inputs, and of one token that is joined to others
  localparam int SLICE_WORDS = vaqf_pkg::SLICE_WORDS;
  localparam int SIMD = vaqf_pkg::SIMD;
  localparam int HEAD_WORDS = vaqf_pkg::HEAD_WORDS;
  logic [SUM_BITS-1:0] slices, token_slices;
  logic [sizes::index_bits(SLICE_WORDS)-1:0] slice_rest;
  logic [sizes::index_bits(HEAD_WORDS)-1:0] head_rest;
  logic [1:0] third_rest;
  logic [sizes::index_bits(SIMD)-1:0] token_rest;
  logic [SUM_BITS-1:0] thirds, heads;
  divide_by #(
      .BY  (SLICE_WORDS),
      .BITS(SUM_BITS)
  ) u_slices (
      .clk,
      .load(start),
      .step(divides),
      .dividend(SUM_BITS'(command.k_words) + SUM_BITS'(SLICE_WORDS - 1)),
      .quotient(slices),
      .remainder(slice_rest)
  );
  divide_by #(
      .BY  (SIMD),
      .BITS(SUM_BITS)
  ) u_token_slices (
      .clk,
      .load(start),
      .step(divides),
      .dividend(SUM_BITS'(command.dim) + SUM_BITS'(SIMD - 1)),
      .quotient(token_slices),
      .remainder(token_rest)
  );
  divide_by #(
      .BY  (HEAD_WORDS),
      .BITS(SUM_BITS)
  ) u_heads (
      .clk,
      .load(start),
      .step(divides),
      .dividend(SUM_BITS'(command.head_words)),
      .quotient(heads),
      .remainder(head_rest)
  );
  divide_by #(
      .BY  (3),
      .BITS(SUM_BITS)
  ) u_thirds (
      .clk,
      .load(start),
      .step(divides),
      .dividend(SUM_BITS'(command.n_words)),
      .quotient(thirds),
      .remainder(third_rest)
  );

  // slices * n_words, or heads * head_words; beside it prefix_tokens * token_slices
  logic is_attention;
  logic [FIELD_BITS-1:0] factor;
  logic [2*FIELD_BITS-1:0] other, product;
  localparam int PREFIX_BITS = SUM_BITS + $bits(command.prefix_tokens);
  logic [PREFIX_BITS-1:0] prefix_slices;
  assign is_attention = command.opcode == 4'(vaqf_pkg::OP_ATTENTION);
  always_ff @(posedge clk) begin
    if (take_quotients) begin
      factor  <= is_attention ? FIELD_BITS'(command.heads) : FIELD_BITS'(slices);
      other   <= (2 * FIELD_BITS)'(is_attention ? command.head_words : command.n_words);
      product <= '0;
    end else if (multiplies) begin
      factor <= factor >> 4;
      other <= other << 4;
      product <= product + (factor[0] ? other : '0) + (factor[1] ? other << 1 : '0) +
                 (factor[2] ? other << 2 : '0) + (factor[3] ? other << 3 : '0);
    end
    prefix_slices <= (command.prefix_tokens[0] ? PREFIX_BITS'(token_slices) : '0) +
                     (command.prefix_tokens[1] ? PREFIX_BITS'(token_slices) << 1 : '0) +
                     (command.prefix_tokens[2] ? PREFIX_BITS'(token_slices) << 2 : '0) +
                     (command.prefix_tokens[3] ? PREFIX_BITS'(token_slices) << 3 : '0);
  end

  // -- rules -------------------------------------------------------------------------------------

  logic normalizes, to_residual, eight_planes, one_pass, joined;
  logic offset_good, shift_good, tokens_good, outputs_good;
  logic sizes_good, source_good, dest_good, weights_good, resident_good, attention_good;
  localparam int PLANE_BITS = $clog2(vaqf_pkg::FIXED_WEIGHT_BITS);
  localparam int PLANES_BITS = $bits(product) + PLANE_BITS;
  logic [PLANES_BITS-1:0] all_planes;  // ring words
  assign all_planes = PLANES_BITS'(product) << (eight_planes ? PLANE_BITS : 0);
  localparam int RING_BITS = $bits(command.ring_offset) + 1;  // of two of them
  // what the multiplier of bit planes lacks, results.sv; binary sums fit
  localparam int MAX_PRE_SHIFT = sizes::most(vaqf_pkg::ACC_BITS - vaqf_pkg::OPERAND_BITS, 0);
  localparam int DIM_CHANNELS = vaqf_pkg::MAX_DIM / PE * PE;
  assign normalizes = command.source == 4'(vaqf_pkg::SOURCE_NORM) ||
                      command.source == 4'(vaqf_pkg::SOURCE_NORM_PREFIX);
  assign to_residual = command.dest == 4'(vaqf_pkg::DEST_RESIDUAL);
  assign eight_planes = command.planes == 4'(vaqf_pkg::FIXED_WEIGHT_BITS);
  assign one_pass = slices == SUM_BITS'(1) && command.planes == 4'd1 && command.digits == 4'd1;
  assign joined = command.prefix_tokens > 4'd1 ? slice_rest == $bits(
      slice_rest
  )'(SLICE_WORDS - 1) && prefix_slices == PREFIX_BITS'(slices) :
      command.prefix_tokens == 4'd1 && inputs_are_dim;

  always_ff @(posedge clk) begin
    offset_good <= command.frame_offset[3:1] == '0 || command.frame_offset[3:1] == '1;  // -2 to 1
    shift_good <= command.shift <= 6'(vaqf_pkg::MAX_SHIFT);
    tokens_good <= command.tokens != '0 && 32'(command.tokens) <= vaqf_pkg::MAX_TOKENS;
    // no more channels than the words have, and some in the last
    outputs_good <= 32'(command.outputs) <= outputs && 32'(command.outputs) + PE > outputs;

    sizes_good <= command.k_words != '0 && command.n_words != '0 && command.dim != '0 &&
                  32'(command.dim) <= DIM_CHANNELS &&
                  command.norm_shift <= 6'(vaqf_pkg::MAX_SHIFT) &&
                  32'(command.pre_shift) <= (eight_planes ? MAX_PRE_SHIFT : 0);
    source_good <= command.digits == 4'd1;
    case (command.source)
      4'(vaqf_pkg::SOURCE_PIXELS):
      source_good <= inputs <= vaqf_pkg::MAX_PIXELS &&
                     command.digits == 4'(vaqf_pkg::PIXEL_DIGITS) &&
                     FIELD_BITS'(command.prefix_tokens) < command.tokens &&
                     command.pixel_bytes != '0 &&
                     command.pixel_bytes[$clog2(
          vaqf_pkg::PORT_BITS/8
      )-1:0] == '0 && 32'(command.pixel_bytes) <= vaqf_pkg::MAX_PIXEL_BYTES;
      4'(vaqf_pkg::SOURCE_NORM): if (!inputs_are_dim) source_good <= 1'b0;
      4'(vaqf_pkg::SOURCE_NORM_PREFIX):
      if (command.tokens != FIELD_BITS'(1) || !joined ||
          32'(command.prefix_tokens) > vaqf_pkg::MAX_HEAD_TOKENS)
        source_good <= 1'b0;
      4'(vaqf_pkg::SOURCE_CONTEXT): if (inputs > vaqf_pkg::MAX_ATTENTION) source_good <= 1'b0;
      4'(vaqf_pkg::SOURCE_HIDDEN): if (inputs > vaqf_pkg::MAX_HIDDEN) source_good <= 1'b0;
      default: source_good <= 1'b0;
    endcase
    case (command.dest)
      4'(vaqf_pkg::DEST_QKV):
      dest_good <= third_rest == '0 && outputs <= 3 * vaqf_pkg::MAX_ATTENTION;
      4'(vaqf_pkg::DEST_RESIDUAL): dest_good <= outputs_are_dim;
      4'(vaqf_pkg::DEST_HIDDEN): dest_good <= outputs <= vaqf_pkg::MAX_HIDDEN;
      4'(vaqf_pkg::DEST_LOGITS): dest_good <= command.tokens == FIELD_BITS'(1);
      default: dest_good <= 1'b0;
    endcase
    if (outputs > vaqf_pkg::MAX_OUTPUTS || normalizes == to_residual) dest_good <= 1'b0;
    weights_good <= (command.planes == 4'd1 || eight_planes) &&
                    (one_pass || 32'(command.n_words) <= vaqf_pkg::PARTIAL_WORDS) &&
                    PLANES_BITS'(command.weight_words) == all_planes &&
                    command.weight_words <= vaqf_pkg::RING_WORDS;
    resident_good <= vaqf_pkg::RESIDENT == 0 ||
        RING_BITS'(command.ring_offset) + RING_BITS'(command.weight_words) <=
        RING_BITS'(vaqf_pkg::RING_WORDS);

    attention_good <= command.heads != '0 && command.head_words != '0 && head_rest == '0 &&
                      32'(command.head_words) <= vaqf_pkg::MAX_HEAD_WORDS &&
                      32'(command.n_words) == product && outputs <= vaqf_pkg::MAX_ATTENTION &&
                      32'(command.outputs) == outputs;

    good <= offset_good && shift_good && tokens_good &&
            (is_attention ? attention_good :
             command.opcode == 4'(vaqf_pkg::OP_MATMUL) && outputs_good && sizes_good &&
             source_good && dest_good && weights_good && resident_good);
  end

  logic unused;
  assign unused = &{1'b0, command, token_rest, thirds, heads, divides};
endmodule
