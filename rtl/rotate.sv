// Element e goes to place (e + by) mod ELEMENTS; with BACK what lies there returns to place e.
//
// One stage of 2:1 multiplexers for every bit of `by`, of which tools make one LUT6 for each pair:
// rotations add up modulo any number of elements, so ELEMENTS need be no power of two.
module rotate #(
    parameter int ELEMENTS = 6,
    parameter int WIDTH = 8,
    parameter bit BACK = 1'b0
) (
    input  logic [sizes::index_bits(ELEMENTS)-1:0] by,
    input  logic [             ELEMENTS*WIDTH-1:0] data,
    output logic [             ELEMENTS*WIDTH-1:0] rotated
);
  localparam int STAGES = $clog2(ELEMENTS);
  localparam int BITS = ELEMENTS * WIDTH;

  for (genvar i = 0; i < STAGES; ++i) begin : g_stage
    localparam int STEP = BACK ? 2 ** i : ELEMENTS - 2 ** i;  // places towards element 0
    logic [BITS-1:0] given, turned;
    if (i == 0) begin : g_first
      assign given = data;
    end else begin : g_next
      assign given = g_stage[i-1].turned;
    end
    assign turned = by[i] ? {given[STEP*WIDTH-1:0], given[BITS-1:STEP*WIDTH]} : given;
  end

  if (STAGES == 0) begin : g_alone
    assign rotated = data;
    logic unused;
    assign unused = &{1'b0, by};
  end else begin : g_turned
    assign rotated = g_stage[STAGES-1].turned;
  end
endmodule
