// What is read for one command besides its weights: tables and records, image and constants.
//
// Tables and records of a matmul are asked for when the one two before it is done, since there are
// two halves of every buffer, counted by `parity`; likewise those of attention. The image of a patch
// embedding comes with them, its constants as soon as it runs: by then the residual stream that they
// go to belongs to it.
module fetch_parameters (
    input logic clk,
    input logic rst,
    input logic start,
    input logic [31:0] n_frames,
    input logic [31:0] n_commands,
    input logic [63:0] images_address,
    output logic list_request,
    output logic [sizes::index_bits(vaqf_pkg::MAX_COMMANDS)-1:0] list_index,
    input logic list_answer,
    input vaqf_pkg::command_t list_command,
    input logic matmul_start,
    input logic matmul_done,
    input logic attention_done,
    // from the weight image; `count` is of gelu entries, records, or beats of constants
    output logic request_valid,
    input logic request_taken,  // a cycle after it was
    output logic [37:0] request_position,  // in bytes
    output logic [31:0] request_count,
    output logic for_gelu,
    output logic for_norm,
    output logic for_requant,
    output logic for_context,
    output logic for_constants,
    output logic parity,
    // from the images
    output logic image_request_valid,
    input logic image_request_ready,
    output logic [63:0] image_request_address,
    output logic [31:0] image_request_beats,
    input logic pixels_idle,
    output logic pixels_start,
    output vaqf_pkg::command_t pixels_command
);
  // of an address inside a beat
  localparam int BEAT_BITS = $clog2(vaqf_pkg::WEIGHT_BITS / 8);
  localparam int PIXEL_BEAT_BITS = $clog2(vaqf_pkg::PORT_BITS / 8);
  localparam int TOKEN_BITS = sizes::bits_for(vaqf_pkg::MAX_TOKENS);
  localparam int ALIGN_BEATS = vaqf_pkg::ALIGN_BYTES * 8 / vaqf_pkg::PORT_BITS;

  logic valid, next, new_step, ended;
  logic [sizes::index_bits(vaqf_pkg::MAX_COMMANDS)-1:0] index;
  vaqf_pkg::command_t command;
  logic [31:0] frame;
  walk u_walk (
      .clk,
      .rst,
      .start,
      .n_frames,
      .n_commands,
      .list_request,
      .list_index,
      .list_answer,
      .list_command,
      .valid,
      .next,
      .command,
      .index,
      .frame,
      .new_step,
      .ended
  );

  typedef enum logic [3:0] {
    TAKE,
    GELU,
    NORM,
    REQUANT,
    CONTEXT,
    IMAGE,
    CONSTANTS,
    MORE_CONSTANTS,
    DONE
  } state_t;
  state_t state;
  logic is_attention, is_norm, is_image, is_hidden;  // before the walk shows the command
  logic take, take_matmul, take_attention, asked, through;
  logic [1:0] matmul_halves, attention_halves;  // not in use
  logic [1:0] ahead;  // matmuls whose parameters were asked for and that do not run yet
  logic matmul_parity, attention_parity;
  always_ff @(posedge clk) begin
    is_attention <= command.opcode == 4'(vaqf_pkg::OP_ATTENTION);
    is_norm      <= command.source == 4'(vaqf_pkg::SOURCE_NORM) ||
                    command.source == 4'(vaqf_pkg::SOURCE_NORM_PREFIX);
    is_image <= command.source == 4'(vaqf_pkg::SOURCE_PIXELS);
    is_hidden <= command.dest == 4'(vaqf_pkg::DEST_HIDDEN);
  end
  assign take_matmul = state == TAKE && valid && !is_attention && matmul_halves != '0;
  assign take_attention = state == TAKE && valid && is_attention && attention_halves != '0;
  assign take = take_matmul || take_attention;

  // -- requests to the weight image --------------------------------------------------------------

  logic [31:0] beats_of_group, group_beats;
  logic [TOKEN_BITS-1:0] tokens_left;
  logic last_group;
  assign last_group = tokens_left <= TOKEN_BITS'(vaqf_pkg::TOKENS);
  // n_words tiles
  assign beats_of_group = sizes::times(32'(command.n_words), vaqf_pkg::CONSTANT_TILE_WORDS);
  // in registers, with the state that it belongs to: who wants the port, too, waits for them. Only
  // whether they change hangs on the handshake
  always_ff @(posedge clk) begin
    case (state)
      TAKE: begin
        request_valid    <= take && (is_attention || is_hidden);
        request_position <= {is_attention ? command.requant_offset : command.gelu_offset, 6'b0};
        request_count    <= is_attention ? 32'(command.outputs) : vaqf_pkg::GELU_ENTRIES;
      end
      GELU:
      if (through) begin
        request_valid    <= is_norm;
        request_position <= {command.norm_offset, 6'b0};
        request_count    <= 32'(command.dim);
      end
      NORM:
      if (through) begin
        request_valid    <= 1'b1;
        request_position <= {command.requant_offset, 6'b0};
        request_count    <= 32'(command.outputs);
      end
      REQUANT, CONTEXT: if (through) request_valid <= 1'b0;
      CONSTANTS: begin
        request_valid    <= ahead == '0;
        request_position <= {command.constant_offset, 6'b0};
        request_count    <= group_beats;
      end
      MORE_CONSTANTS:
      if (asked) begin
        request_valid    <= !last_group;
        request_position <= request_position + 38'({group_beats, BEAT_BITS'(0)});
      end
      default: request_valid <= 1'b0;
    endcase
    if (rst || start) request_valid <= 1'b0;
  end
  assign for_gelu = state == GELU;
  assign for_norm = state == NORM;
  assign for_requant = state == REQUANT;
  assign for_context = state == CONTEXT;
  assign for_constants = state == MORE_CONSTANTS;
  assign parity = is_attention ? attention_parity : matmul_parity;
  assign asked = request_valid && request_taken;
  assign through = asked || !request_valid;

  // -- the image ---------------------------------------------------------------------------------

  // Its size is added up row by row, while the records are asked for. Frames follow each other in
  // memory, as their patch embeddings do in the list.
  logic [TOKEN_BITS-1:0] rows_left;
  logic [31:0] image_beats;
  logic [31:0] images_asked;  // of this run
  // at once: the images' port does not wait for what the weight port was asked for before
  logic image_wanted, image_counted, image_asked;
  assign image_request_valid = image_wanted && image_counted && pixels_idle;
  assign image_request_beats = (image_beats + (ALIGN_BEATS - 1)) & ~32'(ALIGN_BEATS - 1);
  assign image_asked = image_request_valid && image_request_ready;
  assign pixels_command = command;

  always_ff @(posedge clk) begin
    if (rst || start || image_asked) image_wanted <= 1'b0;
    else if (take_matmul) image_wanted <= is_image;
    image_counted <= !take && rows_left == '0;
    if (take) begin
      rows_left   <= TOKEN_BITS'(command.tokens) - TOKEN_BITS'(command.prefix_tokens);
      image_beats <= '0;
    end else if (rows_left != '0) begin
      rows_left   <= rows_left - 1'b1;
      image_beats <= image_beats + 32'(command.pixel_bytes >> PIXEL_BEAT_BITS);
    end
    if (start) image_request_address <= images_address;
    else if (image_asked)
      image_request_address <=
          image_request_address + 64'({image_request_beats, PIXEL_BEAT_BITS'(0)});

    group_beats <= beats_of_group;
    if (state == CONSTANTS) tokens_left <= TOKEN_BITS'(command.tokens);
    else if (asked && for_constants) tokens_left <= tokens_left - TOKEN_BITS'(vaqf_pkg::TOKENS);
  end

  // -- what follows on what ----------------------------------------------------------------------

  assign next = (state == IMAGE && !is_image) || state == DONE;
  always_ff @(posedge clk) begin
    if (rst || start) begin
      state            <= TAKE;
      pixels_start     <= 1'b0;
      images_asked     <= '0;
      matmul_halves    <= 2'd2;
      attention_halves <= 2'd2;
      ahead            <= '0;
      matmul_parity    <= 1'b1;  // 0 for the first
      attention_parity <= 1'b1;
    end else begin
      case (state)
        TAKE: if (take) state <= is_attention ? CONTEXT : GELU;
        GELU: if (through) state <= NORM;
        NORM: if (through) state <= REQUANT;
        REQUANT: if (through) state <= IMAGE;
        IMAGE:
        if (next) state <= TAKE;
        else if (!image_wanted) state <= CONSTANTS;
        CONSTANTS: if (ahead == '0) state <= MORE_CONSTANTS;
        CONTEXT: if (asked) state <= DONE;
        MORE_CONSTANTS: if (asked && last_group) state <= DONE;
        default: state <= TAKE;
      endcase
      pixels_start     <= image_asked;
      images_asked     <= images_asked + 32'(image_asked);
      matmul_halves    <= matmul_halves + 2'(matmul_done) - 2'(take_matmul);
      attention_halves <= attention_halves + 2'(attention_done) - 2'(take_attention);
      ahead            <= ahead + 2'(take_matmul) - 2'(matmul_start);
      matmul_parity    <= matmul_parity ^ take_matmul;
      attention_parity <= attention_parity ^ take_attention;
`ifndef SYNTHESIS
      assert (!matmul_done || matmul_halves != 2'd2);
      assert (!attention_done || attention_halves != 2'd2);
      assert (!image_asked || frame == images_asked);
      assert (!matmul_start || ahead != '0);
      assert (!request_taken || request_valid);
`endif
    end
  end

  logic unused;
  assign unused = &{1'b0, command, index, new_step, ended};
endmodule
