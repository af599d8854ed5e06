// Reads everything that commands need from the weight image, and asks for the images.
//
// Two processes walk the command list ahead of the sequencer and share one read port: parameters go
// first, weights fill the ring whenever it has room. Nothing is asked for before there is a place for
// it, so no data keep others behind them waiting; and requests do not wait for data of earlier ones:
// `transfers` remembers what they are. list_...[0] is for parameters, [1] for weights.
module loader #(
    parameter int TRANSFERS = 16  // asked for and not yet arrived
) (
    input logic clk,
    input logic rst,
    input logic start,
    input logic [31:0] n_frames,
    input logic [31:0] n_commands,
    input logic [63:0] weights_address,
    input logic [63:0] images_address,
    output logic [1:0] list_request,
    output logic [2*sizes::index_bits(vaqf_pkg::MAX_COMMANDS)-1:0] list_index,
    input logic [1:0] list_answer,
    input vaqf_pkg::command_t list_command,
    // what runs
    input logic matmul_start,
    input logic matmul_done,
    input logic attention_done,
    output logic matmul_loaded,
    output logic attention_loaded,
    // the weight port
    output logic request_valid,
    input logic request_ready,
    output logic [63:0] request_address,
    output logic [31:0] request_beats,
    input logic data_valid,
    output logic data_ready,
    input logic [vaqf_pkg::WEIGHT_BITS-1:0] data,
    // the images' port, and who takes the image
    output logic image_request_valid,
    input logic image_request_ready,
    output logic [63:0] image_request_address,
    output logic [31:0] image_request_beats,
    input logic pixels_idle,
    output logic pixels_start,
    output vaqf_pkg::command_t pixels_command,
    // buffers of parameters, deliver.sv
    output logic parity,
    output logic gelu_write,
    output logic [sizes::index_bits(vaqf_pkg::GELU_ENTRIES)-1:0] gelu_address,
    output logic [vaqf_pkg::ACT_BITS-1:0] gelu_data,
    output logic [vaqf_pkg::NORM_WORDS-1:0] norm_write,
    output logic requant_write,
    output logic [vaqf_pkg::HEAD_WORDS-1:0] context_write,
    output logic [sizes::index_bits(vaqf_pkg::RECORD_DEPTH)-1:0] record_address,
    output logic [vaqf_pkg::PE*vaqf_pkg::RECORD_BITS-1:0] record_data,
    // the ring
    input logic [sizes::bits_for(vaqf_pkg::RING_WORDS)-1:0] room,
    output logic reserve,
    output logic [sizes::bits_for(vaqf_pkg::RING_WORDS)-1:0] reserve_words,
    output logic fill_valid,
    output logic [vaqf_pkg::WEIGHT_BITS-1:0] fill_data,
    // constants of the patch embedding that runs, tile by tile
    output logic constant_valid,
    input logic constant_ready,
    output logic [vaqf_pkg::WEIGHT_BITS-1:0] constant_data
);
  localparam int INDEX_BITS = sizes::index_bits(vaqf_pkg::MAX_COMMANDS);
  localparam int PORTS = vaqf_pkg::WEIGHT_PORTS;
  localparam int GELU_BEATS = vaqf_pkg::GELU_ENTRIES * 8 / vaqf_pkg::WEIGHT_BITS;

  logic parameters_valid, parameters_taken, weights_valid, weights_ready, weights_for_pixels;
  logic [37:0] parameters_position, weights_position;
  logic [31:0] parameters_count, weights_beats;
  logic for_gelu, for_norm, for_requant, for_context, for_constants, parameters_parity;
  fetch_parameters u_parameters (
      .clk,
      .rst,
      .start,
      .n_frames,
      .n_commands,
      .images_address,
      .list_request(list_request[0]),
      .list_index(list_index[0+:INDEX_BITS]),
      .list_answer(list_answer[0]),
      .list_command,
      .matmul_start,
      .matmul_done,
      .attention_done,
      .request_valid(parameters_valid),
      .request_taken(parameters_taken),
      .request_position(parameters_position),
      .request_count(parameters_count),
      .for_gelu,
      .for_norm,
      .for_requant,
      .for_context,
      .for_constants,
      .parity(parameters_parity),
      .image_request_valid,
      .image_request_ready,
      .image_request_address,
      .image_request_beats,
      .pixels_idle,
      .pixels_start,
      .pixels_command
  );
  fetch_weights u_weights (
      .clk,
      .rst,
      .start,
      .n_frames,
      .n_commands,
      .list_request(list_request[1]),
      .list_index(list_index[INDEX_BITS+:INDEX_BITS]),
      .list_answer(list_answer[1]),
      .list_command,
      .room,
      .reserve,
      .reserve_words,
      .request_valid(weights_valid),
      .request_ready(weights_ready),
      .request_position(weights_position),
      .request_beats(weights_beats),
      .for_pixels(weights_for_pixels)
  );

  // -- one request after the other ---------------------------------------------------------------

  // parameters first; but constants meet the last pass of a group, the same command's weights all
  logic parameters_first, weights_first, accept, push, is_records, transfers_ready;
  assign parameters_first = parameters_valid &&
      !(for_constants && weights_valid && weights_for_pixels);
  // the same for weights, said by itself: the other chooses the bits of an address
  assign weights_first = !parameters_valid || (for_constants && weights_for_pixels);
  logic [31:0] count, beats;
  assign accept = !request_valid && transfers_ready;  // not for the port: a request in two cycles
  assign weights_ready = accept && weights_first;
  assign push = accept && (parameters_valid || weights_valid);
  assign is_records = for_norm || for_requant || for_context;
  assign count = parameters_first ? parameters_count : weights_beats;
  always_comb begin
    beats = count;
    if (parameters_first && for_gelu) beats = GELU_BEATS;
    if (parameters_first && is_records) beats = (count + (PORTS - 1)) / PORTS;
  end

  always_ff @(posedge clk) begin
    if (push) begin
      request_address <= weights_address +
          64'(parameters_first ? parameters_position : weights_position);
      request_beats <= beats;
    end
    // told a cycle late, in which nothing is accepted anyway: much hangs on it in there
    parameters_taken <= accept && parameters_first && !rst;
    if (rst) request_valid <= 1'b0;
    else request_valid <= request_valid ? !request_ready : push;
  end

  // -- what arrives ------------------------------------------------------------------------------

  localparam int TRANSFER_BITS = 32 + 7;
  logic [TRANSFER_BITS-1:0] asked, waiting, arriving;
  logic waiting_valid, arriving_valid, arriving_ready;
  assign asked = parameters_first ? {
    count, parameters_parity, 1'b0, for_constants, for_context, for_requant, for_norm, for_gelu
  } : {
    count, 1'b0, 1'b1, 5'b0
  };
  fifo #(
      .WIDTH(TRANSFER_BITS),
      .DEPTH(TRANSFERS)
  ) u_transfers (
      .clk,
      .rst,
      .in_valid (push),
      .in_ready (transfers_ready),
      .in_data  (asked),
      .out_valid(waiting_valid),
      .out_ready(!arriving_valid),
      .out_data (waiting)
  );
  // the next one stands in a register of its own, as its turn comes with the end of the one before
  always_ff @(posedge clk) begin
    if (!arriving_valid) arriving <= waiting;
    if (rst) arriving_valid <= 1'b0;
    else arriving_valid <= arriving_valid ? !arriving_ready : waiting_valid;
  end
  deliver u_deliver (
      .clk,
      .rst,
      .start,
      .transfer_valid(arriving_valid),
      .transfer_ready(arriving_ready),
      .transfer_count(arriving[TRANSFER_BITS-1-:32]),
      .transfer_parity(arriving[6]),
      .for_weights(arriving[5]),
      .for_constants(arriving[4]),
      .for_context(arriving[3]),
      .for_requant(arriving[2]),
      .for_norm(arriving[1]),
      .for_gelu(arriving[0]),
      .data_valid,
      .data_ready,
      .data,
      .parity,
      .gelu_write,
      .gelu_address,
      .gelu_data,
      .norm_write,
      .requant_write,
      .context_write,
      .record_address,
      .record_data,
      .matmul_loaded,
      .attention_loaded,
      .fill_valid,
      .fill_data,
      .constant_valid,
      .constant_ready,
      .constant_data
  );
endmodule
