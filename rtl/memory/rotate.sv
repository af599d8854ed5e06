// Element e goes to place (e + by) mod ELEMENTS; with BACK what lies there returns to place e.
//
// A stage for every two bits of `by`, of 4:1 multiplexers that are one LUT6 each; rotations add up
// modulo any number of elements, so ELEMENTS need be no power of two. Written as the OR of four terms:
// tools make two levels of 2:1 multiplexers out of two stages of them, which take twice the LUTs.
module rotate #(
    parameter int ELEMENTS = 6,
    parameter int WIDTH = 8,
    parameter bit BACK = 1'b0
) (
    input  logic [sizes::index_bits(ELEMENTS)-1:0] by,
    input  logic [             ELEMENTS*WIDTH-1:0] data,
    output logic [             ELEMENTS*WIDTH-1:0] rotated
);
  localparam int STAGES = ($clog2(ELEMENTS) + 1) / 2;
  localparam int BITS = ELEMENTS * WIDTH;

  logic [2*STAGES:0] steps;  // with a bit that nobody needs
  assign steps = (2 * STAGES + 1)'(by);
  for (genvar i = 0; i < STAGES; ++i) begin : g_stage
    logic [BITS-1:0] given;
    logic [BITS-1:0] turned [4];  // by as many steps of this stage
    logic [BITS-1:0] chosen;
    if (i == 0) begin : g_first
      assign given = data;
    end else begin : g_next
      assign given = g_stage[i-1].chosen;
    end
    for (genvar s = 0; s < 4; ++s) begin : g_turn
      localparam int PLACES = (s * 4 ** i) % ELEMENTS;
      localparam int STEP = BACK ? PLACES : (ELEMENTS - PLACES) % ELEMENTS;  // towards element 0
      if (STEP == 0) begin : g_none
        assign turned[s] = given;
      end else begin : g_some
        assign turned[s] = {given[STEP*WIDTH-1:0], given[BITS-1:STEP*WIDTH]};
      end
    end
    always_comb begin
      chosen = '0;
      for (int s = 0; s < 4; ++s) chosen |= turned[s] & {BITS{steps[2*i+:2] == 2'(s)}};
    end
  end

  logic unused;
  if (STAGES == 0) begin : g_alone
    assign rotated = data;
    assign unused  = &{1'b0, steps};
  end else begin : g_turned
    assign rotated = g_stage[STAGES-1].chosen;
    assign unused  = steps[2*STAGES];
  end
endmodule
