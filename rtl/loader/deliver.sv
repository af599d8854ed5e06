// What arrives from the weight port, to whom it belongs: transfer after transfer, as they were asked.
//
// A transfer is `count` gelu entries, records, or beats of weights or constants. Entries leave one per
// cycle, records of a whole beat if a word of P is whole beats, else one by one; they are gathered to
// words of P, the last one filled up with zeros. Behind the last record of a beat memory has zeros.
// Word w of a buffer with more than one bank (norm, context) belongs to bank w mod their number.
module deliver (
    input logic clk,
    input logic rst,
    input logic start,
    input logic transfer_valid,
    output logic transfer_ready,
    input logic [31:0] transfer_count,
    input logic for_gelu,
    input logic for_norm,
    input logic for_requant,
    input logic for_context,
    input logic for_weights,
    input logic for_constants,
    input logic transfer_parity,
    input logic data_valid,
    output logic data_ready,
    input logic [vaqf_pkg::WEIGHT_BITS-1:0] data,
    // half of the buffers that is written; this and record_address are a cycle ahead of a word
    output logic parity,
    output logic gelu_write,
    output logic [sizes::index_bits(vaqf_pkg::GELU_ENTRIES)-1:0] gelu_address,
    output logic [vaqf_pkg::ACT_BITS-1:0] gelu_data,
    output logic [vaqf_pkg::NORM_WORDS-1:0] norm_write,
    output logic requant_write,
    output logic [vaqf_pkg::HEAD_WORDS-1:0] context_write,
    output logic [sizes::index_bits(vaqf_pkg::RECORD_DEPTH)-1:0] record_address,
    output logic [vaqf_pkg::PE*vaqf_pkg::RECORD_BITS-1:0] record_data,
    // pulses: all parameters of a command are stored
    output logic matmul_loaded,
    output logic attention_loaded,
    output logic fill_valid,
    output logic [vaqf_pkg::WEIGHT_BITS-1:0] fill_data,
    output logic constant_valid,
    input logic constant_ready,
    output logic [vaqf_pkg::WEIGHT_BITS-1:0] constant_data
);
  localparam int PE = vaqf_pkg::PE;
  localparam int RECORD = vaqf_pkg::RECORD_BITS;
  localparam int PART = vaqf_pkg::PORT_BITS;  // of a record in memory
  localparam int PART_BYTES = PART / 8;
  localparam int PARTS = vaqf_pkg::WEIGHT_PORTS;  // of a beat
  localparam int PART_BITS = sizes::index_bits(PARTS);
  localparam int LANE_BITS = sizes::index_bits(PE);
  localparam int NORM_WORDS = vaqf_pkg::NORM_WORDS;
  localparam int HEAD_WORDS = vaqf_pkg::HEAD_WORDS;
  localparam int STEP = PE % PARTS == 0 ? PARTS : 1;  // records of a cycle
  localparam int BANK_BITS = sizes::index_bits(sizes::most(NORM_WORDS, HEAD_WORDS));

  // -- the transfer under way --------------------------------------------------------------------

  logic busy, open;  // a transfer; one with entries left
  logic gelu, norm, requant, contexts, weights, constants, half;
  logic [31:0] left;  // of the transfer
  logic records, filling, entry, end_of_transfer, busy_then, filling_then;
  // in registers, as the port waits for them: the last of the transfer; the beat leaves with it
  logic last_entry, leaves;
  logic ends_filled, ends_with_entry;
  logic near;  // the next entry is the last of its beat
  // a transfer begins: behind none or the last word that is filled up; with the last entry of another
  logic begins, fresh, follows;
  logic [LANE_BITS-1:0] lane;  // of a word of records, the first of the step
  logic last_lane;
  assign last_lane = lane == LANE_BITS'(PE - STEP);
  // where it lies in its beat
  logic [PART_BITS-1:0] part;
  logic [$clog2(PART_BYTES)-1:0] place;  // in the part
  logic [PART-1:0] part_data;
  logic last_part, last_place, last_of_beat;
  // an entry leaves: a gelu entry, a record, a whole beat
  assign entry = open && data_valid && (!constants || constant_ready);
  assign data_ready = open && leaves && (!constants || constant_ready);
  assign transfer_ready = !busy || end_of_transfer;
  // behind the last record words are filled up
  assign ends_filled = filling && last_lane;
  assign ends_with_entry = last_entry && (!records || last_lane);
  assign end_of_transfer = ends_filled || (entry && ends_with_entry);
  assign fresh = transfer_valid && (!busy || ends_filled);
  assign follows = transfer_valid && ends_with_entry;
  assign begins = fresh || (entry && follows);

  // of the first entry of what is to begin, and of the entry behind this one: whole beats always leave
  logic for_records, first_last, first_leaves, next_last, next_leaves;
  logic [31:0] next_left;
  assign for_records = for_norm || for_requant || for_context;
  assign first_last = transfer_count <= (for_records ? 32'(STEP) : 32'd1);
  assign first_leaves = first_last || for_weights || for_constants || (!for_gelu && STEP == PARTS);
  assign near = gelu ? last_part && int'(place) == PART_BYTES - 2 : int'(part) == PARTS - 2;
  assign next_last = left <= (records ? 32'(2 * STEP) : 32'd2);
  assign next_leaves = next_last || weights || constants || (!gelu && STEP == PARTS) ||
      (near && !leaves);
  assign next_left = last_entry ? '0 : left - (records ? 32'(STEP) : 32'd1);
  always_comb begin
    busy_then = !rst && !start && (transfer_ready ? transfer_valid : busy);
    filling_then = !rst && !start && !end_of_transfer &&
        (filling || (entry && records && last_entry));
  end

  always_ff @(posedge clk) begin
    if (begins) begin
      {gelu, norm, requant, contexts, weights, constants} <= {
        for_gelu, for_norm, for_requant, for_context, for_weights, for_constants
      };
      records <= for_records;
      half <= transfer_parity;
    end
    // whether an entry leaves is known last, and only chooses
    if (entry) begin
      left       <= follows ? transfer_count : next_left;
      last_entry <= follows ? first_last : next_last;
      leaves     <= follows ? first_leaves : next_leaves;
    end else if (fresh) begin
      left       <= transfer_count;
      last_entry <= first_last;
      leaves     <= first_leaves;
    end
    busy    <= busy_then;
    filling <= filling_then;
    open    <= busy_then && !filling_then;
`ifndef SYNTHESIS
    if (!rst) begin
      if (start) assert (!busy && !transfer_valid);
      assert (!busy || filling || left != '0);
      assert (open == (busy && !filling));
      assert (!open || records == (norm || requant || contexts));
      assert (begins == (transfer_valid && transfer_ready));
      assert (!open || leaves == (last_entry || last_of_beat));
      assert (!open || last_entry == (left <= (records ? 32'(STEP) : 32'd1)));
    end
`endif
  end

  assign fill_valid = busy && weights && data_valid;
  assign fill_data = data;
  assign constant_valid = busy && constants && data_valid;
  assign constant_data = data;

  // -- places in a beat --------------------------------------------------------------------------

  assign part_data = data[PART*part+:PART];
  assign last_part = (records && STEP == PARTS) || part == PART_BITS'(PARTS - 1);
  assign last_place = place == '1;
  assign last_of_beat = gelu ? last_part && last_place : !records || last_part;

  always_ff @(posedge clk) begin
    if (rst || start || (entry && leaves)) begin
      part  <= '0;
      place <= '0;
    end else if (entry) begin
      if (gelu) place <= place + 1'b1;
      if (!gelu || last_place) part <= part + 1'b1;
    end
  end

  // -- the gelu table ----------------------------------------------------------------------------

  // two cycles behind the entries, as words of records are
  logic gelu_soon;
  logic [$bits(gelu_address)-1:0] gelu_next;
  logic [31:0] gelu_arrived;  // four entries
  logic [1:0] gelu_byte;
  always_ff @(posedge clk) begin
    gelu_soon    <= entry && gelu;
    gelu_arrived <= part_data[32*place[$bits(place)-1:2]+:32];
    gelu_byte    <= place[1:0];
    if (!busy || !gelu) gelu_next <= '1;
    else if (entry) gelu_next <= gelu_next + 1'b1;
    gelu_write   <= !rst && gelu_soon;
    gelu_data    <= gelu_arrived[8*gelu_byte+:vaqf_pkg::ACT_BITS];
    gelu_address <= gelu_next;
  end

  // -- records -----------------------------------------------------------------------------------

  logic [STEP*RECORD-1:0] step_records, arrived;
  logic [BANK_BITS-1:0] bank, last_bank;
  logic [$bits(record_address)-1:0] address;
  logic shift, word_end;
  for (genvar i = 0; i < STEP; ++i) begin : g_record
    localparam int BIAS = PART * i + PART / 2;  // if all records of a beat leave at once
    logic [RECORD-1:0] one, own;
    assign one = {part_data[PART/2+:vaqf_pkg::BIAS_BITS], part_data[0+:vaqf_pkg::MULT_BITS]};
    assign own = {data[BIAS+:vaqf_pkg::BIAS_BITS], data[PART*i+:vaqf_pkg::MULT_BITS]};
    assign step_records[i*RECORD+:RECORD] = filling ? '0 : STEP == 1 ? one : own;
  end
  assign shift = filling || (entry && records);
  assign word_end = shift && last_lane;
  assign last_bank = norm ? BANK_BITS'(NORM_WORDS - 1) : contexts ? BANK_BITS'(HEAD_WORDS - 1) : '0;

  // a cycle behind the entries: a register moves so many bits of the word
  localparam int MOVED = sizes::MOVED_BITS;
  localparam int MOVES = (PE * RECORD + MOVED - 1) / MOVED;
  (* keep = "true" *) logic [MOVES-1:0] shift_here;
  logic [PE*RECORD-1:0] moved;
  assign moved = (PE * RECORD)'({arrived, record_data} >> (STEP * RECORD));
  for (genvar i = 0; i < MOVES; ++i) begin : g_move
    localparam int REST = PE * RECORD - MOVED * i;
    localparam int BITS = REST < MOVED ? REST : MOVED;
    always_ff @(posedge clk) begin
      shift_here[i] <= shift;
      if (shift_here[i]) record_data[MOVED*i+:BITS] <= moved[MOVED*i+:BITS];
    end
  end

  logic [NORM_WORDS-1:0] norm_soon;
  logic [HEAD_WORDS-1:0] context_soon;
  logic requant_soon, matmul_soon, attention_soon;
  always_ff @(posedge clk) begin
    arrived        <= step_records;
    record_address <= address;
    parity         <= half;
    for (int i = 0; i < NORM_WORDS; ++i) norm_soon[i] <= norm && word_end && bank == BANK_BITS'(i);
    for (int i = 0; i < HEAD_WORDS; ++i) begin
      context_soon[i] <= contexts && word_end && bank == BANK_BITS'(i);
    end
    requant_soon     <= requant && word_end;
    matmul_soon      <= !rst && requant && end_of_transfer;
    attention_soon   <= !rst && contexts && end_of_transfer;

    norm_write       <= rst ? '0 : norm_soon;
    context_write    <= rst ? '0 : context_soon;
    requant_write    <= !rst && requant_soon;
    matmul_loaded    <= !rst && matmul_soon;
    attention_loaded <= !rst && attention_soon;

    if (rst || start) lane <= '0;
    else if (shift) lane <= last_lane ? '0 : lane + LANE_BITS'(STEP);
    if (transfer_ready) begin
      bank    <= '0;
      address <= '0;
    end else if (word_end) begin
      bank <= bank == last_bank ? '0 : bank + 1'b1;
      if (bank == last_bank) address <= address + 1'b1;
    end
  end
endmodule
