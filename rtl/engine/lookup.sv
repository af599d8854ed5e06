// The table engine: sums of the activations that weights select, one look-up for four of them.
//
// A generator fills, in SHARE rounds of 16 cycles, the tables of as many tokens; all generators work
// in lockstep, one half of the tables ahead of the reader or two. `free` frees the oldest half that
// was `prepared`; weights may use it in that cycle for the last time, and the one that `prepared`
// tells of in that cycle for the first.
module lookup (
    input  logic                                               clk,
    input  logic                                               rst,
    input  logic                                               load_valid,
    output logic                                               load_ready,
    input  logic [                    vaqf_pkg::LOAD_BITS-1:0] load_data,
    output logic                                               prepared,
    input  logic                                               free,
    input  logic [                    vaqf_pkg::RING_WORD-1:0] weights,
    input  logic                                               bank,
    output logic [vaqf_pkg::TILE*vaqf_pkg::SLICE_SUM_BITS-1:0] sums
);
  localparam int TOKENS = vaqf_pkg::TOKENS;
  localparam int OUTPUTS = vaqf_pkg::PE;
  localparam int SIMD = vaqf_pkg::SIMD;
  localparam int SHARE = vaqf_pkg::SHARE;
  localparam int GENERATORS = TOKENS / SHARE;
  localparam int ENTRY_BITS = vaqf_pkg::ACT_BITS + 2;
  localparam int NIBBLES = SIMD / 4;
  // so many nibbles have control registers of their own: their fan-out is bounded
  localparam int BLOCK = sizes::TABLE_BLOCK;
  localparam int BLOCKS = (NIBBLES + BLOCK - 1) / BLOCK;

  // rounds
  logic full, take, active;
  logic [3:0] step;
  logic [SHARE-1:0] turn, turn_next;  // one bit each
  logic half, half_next;
  logic [1:0] held;  // halves between their first round and `free`
  logic [1:0] held_then;  // in the next cycle
  // no round is taken: the generators are not through with one, or the next one has no half. In a
  // register, as loads wait for it
  logic closed, busy_then, no_half_then;
  assign held_then = held + 2'(take && turn_next[0]) - 2'(free);
  assign busy_then = take || (active && step < 4'd14);
  assign no_half_then = held_then == 2'd2 && (take ? turn_next[SHARE-1] : turn_next[0]);

  always_ff @(posedge clk) begin
    step   <= take ? '0 : step + 1'b1;
    closed <= !rst && (busy_then || no_half_then);
    if (take) begin
      turn <= turn_next;
      half <= half_next;
    end
    if (rst) begin
      active    <= 1'b0;
      turn_next <= SHARE'(1);
      half_next <= 1'b0;
      held      <= '0;
    end else begin
      if (take) begin
        active    <= 1'b1;
        turn_next <= SHARE'({turn_next, turn_next[SHARE-1]});
        half_next <= half_next ^ turn_next[SHARE-1];
      end else if (step == '1) begin
        active <= 1'b0;
      end
      held <= held_then;
    end
`ifndef SYNTHESIS
    if (!rst) begin
      assert (held != '0 || !free);
      assert (closed == ((active && step != '1) || (turn_next[0] && held == 2'd2)));
    end
`endif
  end

  // Steps come in pairs: a subset of operands 1 to 3, then the same and operand 0. The subset grows
  // by one operand per pair, or starts anew: {}, 1, 12, 123, 2, 23, 3, 13.
  logic [2:0] subset, added;
  logic starts;  // the next pair
  always_comb begin
    unique case (step[3:1])
      3'd0: {subset, added, starts} = 7'b000_000_0;
      3'd1: {subset, added, starts} = 7'b001_001_0;
      3'd2: {subset, added, starts} = 7'b011_010_0;
      3'd3: {subset, added, starts} = 7'b111_100_1;
      3'd4: {subset, added, starts} = 7'b010_010_0;
      3'd5: {subset, added, starts} = 7'b110_100_1;
      3'd6: {subset, added, starts} = 7'b100_100_0;
      3'd7: {subset, added, starts} = 7'b101_001_1;
    endcase
  end
  logic [3:0] select;
  logic keep, clear;
  assign select = step[0] ? 4'b0001 : {added, 1'b0};
  assign keep   = !step[0];
  assign clear  = !active || (step[0] && starts);

  // entries leave the generators three cycles behind their step, and one behind `write`
  logic [SHARE-1:0] write_q, write;
  logic [4:0] address_q, address;
  logic finish_q, finish;
  always_ff @(posedge clk) begin
    address_q <= {half, subset, step[0]};
    address   <= address_q;
    if (rst) begin
      {write_q, write} <= '0;
      {finish_q, finish, prepared} <= '0;
    end else begin
      write_q  <= active ? turn : '0;
      write    <= write_q;
      finish_q <= active && step == '1 && turn[SHARE-1];
      finish   <= finish_q;
      prepared <= finish;
    end
  end

  logic [GENERATORS*SIMD*vaqf_pkg::ACT_BITS-1:0] next;
  operands u_operands (
      .clk,
      .rst,
      .load_valid,
      .load_ready,
      .load_data,
      .full,
      .may(!closed),
      .take,
      .gathered(next)
  );

  logic [GENERATORS*NIBBLES*ENTRY_BITS-1:0] entries;
  logic [vaqf_pkg::TILE*NIBBLES*ENTRY_BITS-1:0] found;
  for (genvar b = 0; b < BLOCKS; ++b) begin : g_block
    localparam int SIZE = NIBBLES - b * BLOCK < BLOCK ? NIBBLES - b * BLOCK : BLOCK;
    localparam int SIZE_BITS = SIZE * ENTRY_BITS;

    for (genvar h = 0; h < GENERATORS; ++h) begin : g_generator
      table_generator #(
          .NIBBLES(SIZE)
      ) u_generator (
          .clk,
          .take,
          .operands(next[(h*SIMD+4*b*BLOCK)*vaqf_pkg::ACT_BITS+:4*SIZE*vaqf_pkg::ACT_BITS]),
          .select,
          .keep,
          .clear,
          .entries (entries[(h*NIBBLES+b*BLOCK)*ENTRY_BITS+:SIZE_BITS])
      );
    end

    logic [OUTPUTS*SIZE*4-1:0] nibbles;
    for (genvar p = 0; p < OUTPUTS; ++p) begin : g_weights
      assign nibbles[p*SIZE*4+:SIZE*4] = weights[p*SIMD+4*b*BLOCK+:SIZE*4];
    end

    for (genvar h = 0; h < GENERATORS; h += 2) begin : g_pair
      localparam int PAIR = GENERATORS - h < 2 ? 1 : 2;
      logic [PAIR*SIZE_BITS-1:0] written;
      logic [SHARE*PAIR*OUTPUTS*SIZE_BITS-1:0] read;
      subset_sums #(
          .NIBBLES(SIZE),
          .GENERATORS(PAIR)
      ) u_sums (
          .clk,
          .write,
          .write_address(address),
          .entries(written),
          .bank,
          .weights(nibbles),
          .found(read)
      );
      for (genvar i = 0; i < PAIR; ++i) begin : g_token
        assign written[i*SIZE_BITS+:SIZE_BITS] =
            entries[((h+i)*NIBBLES+b*BLOCK)*ENTRY_BITS+:SIZE_BITS];
        for (genvar f = 0; f < SHARE; ++f) begin : g_turn
          for (genvar p = 0; p < OUTPUTS; ++p) begin : g_output
            assign found[((((h+i)*SHARE+f)*OUTPUTS+p)*NIBBLES+b*BLOCK)*ENTRY_BITS+:SIZE_BITS] =
                read[((f*PAIR+i)*OUTPUTS+p)*SIZE_BITS+:SIZE_BITS];
          end
        end
      end
    end
  end

  // sums of the first lanes begin on DSPs, those of the others wait for them
  localparam int DSP_SUMS = vaqf_pkg::DSP_SUMS;
  localparam int TREE = latency::add_tree(NIBBLES);
  localparam int LATE = DSP_SUMS == 0 ? 0 : latency::packed_tree(NIBBLES) - TREE;
  for (genvar i = 0; i < vaqf_pkg::TILE; ++i) begin : g_result
    localparam int BITS = sizes::bits_for(NIBBLES * (2 ** ENTRY_BITS - 1));
    logic [NIBBLES*ENTRY_BITS-1:0] numbers;
    logic [BITS-1:0] sum;
    assign numbers = found[i*NIBBLES*ENTRY_BITS+:NIBBLES*ENTRY_BITS];
    if (i < DSP_SUMS) begin : g_packed
      packed_tree #(
          .COUNT(NIBBLES),
          .WIDTH(ENTRY_BITS)
      ) u_tree (
          .clk,
          .numbers,
          .sum
      );
    end else begin : g_adders
      logic [BITS-1:0] early;
      add_tree #(
          .COUNT(NIBBLES),
          .WIDTH(ENTRY_BITS)
      ) u_tree (
          .clk,
          .numbers,
          .sum(early)
      );
      delay #(
          .WIDTH (BITS),
          .CYCLES(LATE)
      ) u_late (
          .clk,
          .in (early),
          .out(sum)
      );
    end
    assign sums[i*vaqf_pkg::SLICE_SUM_BITS+:vaqf_pkg::SLICE_SUM_BITS] =
        vaqf_pkg::SLICE_SUM_BITS'(sum);
  end

  logic unused;
  assign unused = full;
endmodule
