// Weighted sums of values: R values of a chunk stand still and meet the numerators of one row a cycle.
//
// From weigh.sv's numerators to every row's sums of its channels and the reciprocal of its sum of
// numerators; they are final if `complete`. `begins` is one cycle before the first of them.
module sum_values #(
    localparam int R = vaqf_pkg::ATTENTION_ROWS,
    localparam int L = vaqf_pkg::ATTENTION_LANES,
    localparam int BANK_BITS = sizes::index_bits(vaqf_pkg::BANKS),
    localparam int ADDRESS_BITS = sizes::index_bits(vaqf_pkg::ATTENTION_DEPTH),
    localparam int RUN_ADDRESS_BITS = vaqf_pkg::HEAD_WORDS * ADDRESS_BITS,
    localparam int RUN_DATA_BITS = vaqf_pkg::HEAD_WORDS * vaqf_pkg::ACT_WORD,
    localparam int SLOT_BITS = sizes::index_bits(R),
    localparam int EXP_BITS = vaqf_pkg::EXP_BITS
) (
    input logic clk,
    input logic rst,
    input logic weigh_begins,
    input vaqf_pkg::command_t command,
    input logic [ADDRESS_BITS-1:0] stride,
    input logic [R-1:0] write,
    input logic write_half,
    input logic [SLOT_BITS-1:0] write_key,
    input logic [R*EXP_BITS-1:0] write_rows,
    output logic [BANK_BITS-1:0] v_first,
    output logic [RUN_ADDRESS_BITS-1:0] v_address,
    input logic [RUN_DATA_BITS-1:0] v_data,
    output logic begins,
    output logic complete,
    output logic [L*vaqf_pkg::CONTEXT_BITS-1:0] sums,
    output logic [vaqf_pkg::NORM_VALUE_BITS-1:0] mantissa,
    output logic [5:0] exponent  // latency::SCALE_PRODUCT - 1 behind it
);
  localparam int A = vaqf_pkg::ACT_BITS;
  localparam int BEATS = vaqf_pkg::MAX_HEAD_WORDS / vaqf_pkg::HEAD_WORDS;
  localparam int TOKEN_BITS = sizes::bits_for(vaqf_pkg::MAX_TOKENS);
  localparam int RUN_BITS = sizes::index_bits(vaqf_pkg::CONTEXT_RUNS);
  localparam int CONTEXT_BITS = vaqf_pkg::CONTEXT_BITS;
  localparam int MOST = vaqf_pkg::SIGNED_MAX * vaqf_pkg::EXP_MAX;
  localparam int PART_BITS = sizes::bits_for(R * MOST) + 1;
  localparam int ROW_BITS = sizes::bits_for(R * vaqf_pkg::EXP_MAX);
  localparam int MANTISSA_BITS = vaqf_pkg::NORM_VALUE_BITS;

  // from a step of the walk on: the values of its key are there; the numerators of its row, which
  // may meet them R cycles later; the sums; what the sums are divided by; and both
  localparam int VALUES = latency::RUN;
  localparam int NUMERATORS = VALUES + R;
  localparam int PARTS = NUMERATORS + latency::products(R, A, MOST);
  localparam int SUMS = PARTS + latency::ACCUMULATE;
  localparam int ROWS = NUMERATORS + latency::add_tree(R);
  localparam int RECIPROCALS = ROWS + latency::ACCUMULATE + latency::octave(vaqf_pkg::EXP_SUM_BITS);
  localparam int ROW = SUMS > RECIPROCALS ? SUMS : RECIPROCALS;
  // rows of a chunk are read as soon as the last of its numerators is written
  localparam int WEIGHED = R * BEATS + latency::WEIGH;  // from the chunk's first step in weigh.sv
  localparam int BEHIND = WEIGHED - (NUMERATORS - latency::TURN);

  logic start, active, first_chunk, keys_end, chunk_end;
  logic [SLOT_BITS-1:0] slot;
  logic [ RUN_BITS-1:0] run;
  logic [TOKEN_BITS-1:0] query, key;
  logic [ADDRESS_BITS-1:0] query_address, key_address;
  logic [sizes::index_bits(BEATS)-1:0] beat;
  logic last_part, key_behind, group_end, ended;
  delay_flag #(
      .CYCLES(BEHIND)
  ) u_start (
      .clk,
      .rst,
      .in (weigh_begins),
      .out(start)
  );
  attention_walk u_walk (.*);
  logic unused;
  assign unused = &{1'b0, query, key, query_address, beat, last_part, key_behind, group_end, ended};

  run_address u_v_address (
      .clk,
      .token(BANK_BITS'(key)),
      .address(key_address),
      .run,
      .first(v_first),
      .addresses(v_address)
  );

  // the slot of the values, and a beat later the row
  logic half, last_chunk;
  always_ff @(posedge clk) begin
    if (rst) half <= 1'b0;
    else if (chunk_end) half <= !half;
    if (slot == SLOT_BITS'(R - 1)) last_chunk <= keys_end;  // of the rows of the next R cycles
  end
  logic loads, swap, read_half;
  logic [SLOT_BITS-1:0] load_slot, row;
  delay #(
      .WIDTH (1 + SLOT_BITS),
      .CYCLES(VALUES)
  ) u_load (
      .clk,
      .in ({active, slot}),
      .out({loads, load_slot})
  );
  delay #(
      .WIDTH (1 + SLOT_BITS),
      .CYCLES(NUMERATORS - latency::TURN)
  ) u_row (
      .clk,
      .in ({half, slot}),
      .out({read_half, row})
  );
  delay #(
      .WIDTH (1),
      .CYCLES(latency::TURN)
  ) u_swap (
      .clk,
      .in (row == '0),
      .out(swap)
  );
  logic [R*EXP_BITS-1:0] numerators;
  turn u_turn (
      .clk,
      .write,
      .write_half,
      .write_key,
      .write_rows,
      .read_half,
      .read_row (row),
      .read_keys(numerators)
  );

  logic [R-1:0] load;
  logic [R*(EXP_BITS+1)-1:0] factors;
  for (genvar r = 0; r < R; ++r) begin : g_key
    assign load[r] = loads && load_slot == SLOT_BITS'(r);
    assign factors[r*(EXP_BITS+1)+:EXP_BITS+1] = {1'b0, numerators[r*EXP_BITS+:EXP_BITS]};
  end
  logic [L*PART_BITS-1:0] parts;
  products #(
      .OUTPUTS(L),
      .INPUTS(R),
      .M_BITS(A),
      .X_BITS(EXP_BITS + 1),
      .X_MAX(vaqf_pkg::EXP_MAX),
      .BY_INPUT(1'b1)
  ) u_products (
      .clk,
      .load,
      .m(v_data),
      .swap,
      .x(factors),
      .y(parts)
  );
  logic first_row, first_parts;
  delay #(
      .WIDTH (1),
      .CYCLES(ROWS)
  ) u_first_row (
      .clk,
      .in (first_chunk),
      .out(first_row)
  );
  delay #(
      .WIDTH (1),
      .CYCLES(PARTS)
  ) u_first_parts (
      .clk,
      .in (first_chunk),
      .out(first_parts)
  );
  logic [L*CONTEXT_BITS-1:0] early_sums;
  accumulate #(
      .LANES(L),
      .IN_BITS(PART_BITS),
      .BITS(CONTEXT_BITS),
      .DEPTH(R * BEATS)
  ) u_sums (
      .clk,
      .first (first_parts),
      .addend(parts),
      .sum   (early_sums)
  );
  delay #(
      .WIDTH (L * CONTEXT_BITS),
      .CYCLES(ROW - SUMS)
  ) u_late_sums (
      .clk,
      .in (early_sums),
      .out(sums)
  );

  logic [ROW_BITS-1:0] row_part;
  logic [vaqf_pkg::EXP_SUM_BITS-1:0] total;
  add_tree #(
      .COUNT(R),
      .WIDTH(EXP_BITS)
  ) u_row_part (
      .clk,
      .numbers(numerators),
      .sum(row_part)
  );
  accumulate #(
      .LANES(1),
      .IN_BITS(ROW_BITS + 1),
      .BITS(vaqf_pkg::EXP_SUM_BITS),
      .DEPTH(R * BEATS)
  ) u_total (
      .clk,
      .first (first_row),
      .addend({1'b0, row_part}),
      .sum   (total)
  );
  logic [MANTISSA_BITS-1:0] early_mantissa;
  logic [5:0] early_exponent;
  octave #(
      .BITS(vaqf_pkg::EXP_SUM_BITS),
      .ROOT(1'b0)
  ) u_reciprocal (
      .clk,
      .x(total),
      .mantissa(early_mantissa),
      .exponent(early_exponent)
  );
  delay #(
      .WIDTH (MANTISSA_BITS),
      .CYCLES(ROW - RECIPROCALS)
  ) u_late_mantissa (
      .clk,
      .in (early_mantissa),
      .out(mantissa)
  );
  delay #(
      .WIDTH (6),
      .CYCLES(ROW - RECIPROCALS + latency::SCALE_PRODUCT - 1)
  ) u_late_exponent (
      .clk,
      .in (early_exponent),
      .out(exponent)
  );

  logic rows;
  delay_flag #(
      .CYCLES(R)
  ) u_rows (
      .clk,
      .rst,
      .in (active),
      .out(rows)
  );
  delay_flag #(
      .CYCLES(ROW - R)
  ) u_complete (
      .clk,
      .rst,
      .in (rows && last_chunk),
      .out(complete)
  );
  delay_flag #(
      .CYCLES(ROW)
  ) u_begins (
      .clk,
      .rst,
      .in (start),
      .out(begins)
  );
endmodule
