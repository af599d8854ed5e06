// Rows of the residual stream through the layer norm: a beat of NORM_TOKENS elements in a cycle.
//
// A beat is named when the walk comes to it: `number` says where its rows' numbers lie (norm_numbers.sv),
// `record` which records its channels have. Its elements come ASK + latency::DIAGONAL cycles behind, and
// leave latency::LAYER_NORM behind that.
module norm_beats #(
    parameter int ROW_BEATS = 1,
    parameter int ASK = 1,  // cycles from the walk to the addresses of the elements
    localparam int NUMBER_BITS = 1 + sizes::index_bits(
        ROW_BEATS
    ) + sizes::index_bits(
        vaqf_pkg::RUN_WORDS
    ),
    localparam int RECORD_BITS = sizes::index_bits(vaqf_pkg::NORM_RECORD_DEPTH),
    localparam int ELEMENTS = vaqf_pkg::NORM_TOKENS
) (
    input logic clk,
    input logic rst,
    input logic start,
    input vaqf_pkg::command_t command,
    // sums of the rows, a round ahead
    output logic [sizes::index_bits(vaqf_pkg::GROUPS)-1:0] sums_address,
    input logic [vaqf_pkg::TOKENS*vaqf_pkg::SUMS_BITS-1:0] sums_data,
    output logic [1:0] filled,
    output logic [1:0] filled_then,
    input logic released,
    // a beat
    input logic [NUMBER_BITS-1:0] number,
    input logic [RECORD_BITS-1:0] record,
    input logic [ELEMENTS*vaqf_pkg::RESIDUAL_WORD-1:0] residual_data,
    output logic [RECORD_BITS-1:0] norm_record_address,
    input logic [vaqf_pkg::NORM_WORDS*vaqf_pkg::PE*vaqf_pkg::RECORD_BITS-1:0] norm_record_data,
    output logic [ELEMENTS*vaqf_pkg::ACT_WORD-1:0] normalized
);
  localparam int PE = vaqf_pkg::PE;
  localparam int ACT_BITS = vaqf_pkg::ACT_BITS;
  localparam int NORM_WORDS = vaqf_pkg::NORM_WORDS;
  localparam int NORM_ROWS = ELEMENTS / NORM_WORDS;

  localparam int FOUND = ASK + latency::DIAGONAL;  // elements, from the walk on
  logic [NUMBER_BITS-1:0] sum_address, factor_address;
  logic [NORM_ROWS*vaqf_pkg::ROW_SUM_BITS-1:0] minus_sum;
  logic [NORM_ROWS*vaqf_pkg::NORM_VALUE_BITS-1:0] mantissa;
  logic [NORM_ROWS*6-1:0] exponent;
  delay #(
      .WIDTH (NUMBER_BITS),
      .CYCLES(FOUND)
  ) u_sum_address (
      .clk,
      .in (number),
      .out(sum_address)
  );
  delay #(
      .WIDTH (NUMBER_BITS),
      .CYCLES(latency::CENTRE - 1)
  ) u_factor_address (
      .clk,
      .in (sum_address),
      .out(factor_address)
  );
  delay #(
      .WIDTH (RECORD_BITS),
      .CYCLES(FOUND + latency::CENTRE + latency::SCALE_BY - latency::RECORDS)
  ) u_record_address (
      .clk,
      .in (record),
      .out(norm_record_address)
  );
  norm_numbers #(
      .NORM_ROWS(NORM_ROWS),
      .ROW_BEATS(ROW_BEATS)
  ) u_numbers (
      .clk,
      .rst,
      .start,
      .command,
      .sums_address,
      .sums_data,
      .filled,
      .filled_then,
      .released,
      .sum_address,
      .minus_sum,
      .factor_address,
      .mantissa,
      .exponent
  );

  for (genvar e = 0; e < ELEMENTS; ++e) begin : g_norm
    localparam int OWN = e / NORM_WORDS;
    (* keep = "true" *) logic [15:0] dim;  // of the command, for the lanes of an element
    always_ff @(posedge clk) dim <= command.dim;
    for (genvar p = 0; p < PE; ++p) begin : g_channel
      localparam int CHANNEL = e % NORM_WORDS * PE + p;
      layer_norm u_layer_norm (
          .clk,
          .x(residual_data[(e*PE+p)*vaqf_pkg::RESIDUAL_BITS+:vaqf_pkg::RESIDUAL_BITS]),
          .minus_sum(minus_sum[OWN*vaqf_pkg::ROW_SUM_BITS+:vaqf_pkg::ROW_SUM_BITS]),
          .mantissa(mantissa[OWN*vaqf_pkg::NORM_VALUE_BITS+:vaqf_pkg::NORM_VALUE_BITS]),
          .exponent(exponent[OWN*6+:6]),
          .dim,
          .record(norm_record_data[CHANNEL*vaqf_pkg::RECORD_BITS+:vaqf_pkg::RECORD_BITS]),
          .shift(command.norm_shift),
          .act(normalized[(e*PE+p)*ACT_BITS+:ACT_BITS])
      );
    end
  end

  logic unused;
  assign unused = &{1'b0, command};
endmodule
