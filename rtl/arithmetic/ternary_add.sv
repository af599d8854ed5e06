// a + b + c of unsigned numbers in one carry chain: one LUT6 per bit.
//
// A LUT gives the bit of a ^ b ^ c ^ (majority of the bits below), and its own majority to the LUT
// above; the chain adds both. LUT6_2 and CARRY8 or CARRY4 are placed by hand: tools infer two adders.
module ternary_add #(
    parameter int WIDTH = 8
) (
    input  logic [WIDTH-1:0] a,
    input  logic [WIDTH-1:0] b,
    input  logic [WIDTH-1:0] c,
    output logic [WIDTH+1:0] sum
);
  if (vaqf_pkg::PRIMITIVES != 0) begin : g_by_hand
    localparam int PER_CELL = vaqf_pkg::CARRY_BITS;
    // the bit behind the last adds the last majority; the carry out of it is the top of the sum
    localparam int BITS = WIDTH + 1;
    localparam int CELLS = (BITS + PER_CELL - 1) / PER_CELL;
    localparam logic [63:0] XOR_AND_MAJORITY = 64'h69966996_E8E8E8E8;

    logic [PER_CELL*CELLS-1:0] half, carried, total, carry;
    logic [BITS:0] majority;
    assign majority[0] = 1'b0;
    for (genvar i = 0; i < PER_CELL * CELLS; ++i) begin : g_bit
      if (i < BITS) begin : g_used
        LUT6_2 #(
            .INIT(XOR_AND_MAJORITY)
        ) u_lut (
            .O6(half[i]),
            .O5(majority[i+1]),
            .I0(i < WIDTH ? a[i%WIDTH] : 1'b0),
            .I1(i < WIDTH ? b[i%WIDTH] : 1'b0),
            .I2(i < WIDTH ? c[i%WIDTH] : 1'b0),
            .I3(majority[i]),
            .I4(1'b0),
            .I5(1'b1)
        );
        assign carried[i] = majority[i];
      end else begin : g_behind
        assign half[i] = 1'b0;
        assign carried[i] = 1'b0;
      end
    end
    for (genvar i = 0; i < CELLS; ++i) begin : g_cell
      logic from_below;
      if (i == 0) begin : g_first
        assign from_below = 1'b0;
      end else begin : g_next
        assign from_below = carry[PER_CELL*i-1];
      end
      if (vaqf_pkg::PRIMITIVES == vaqf_pkg::XCUP) begin : g_xcup
        CARRY8 u_carry (
            .CI(from_below),
            .CI_TOP(1'b0),
            .DI(carried[PER_CELL*i+:PER_CELL]),
            .S(half[PER_CELL*i+:PER_CELL]),
            .O(total[PER_CELL*i+:PER_CELL]),
            .CO(carry[PER_CELL*i+:PER_CELL])
        );
      end else begin : g_xc7
        CARRY4 u_carry (
            .CI(from_below),
            .CYINIT(1'b0),
            .DI(carried[PER_CELL*i+:PER_CELL]),
            .S(half[PER_CELL*i+:PER_CELL]),
            .O(total[PER_CELL*i+:PER_CELL]),
            .CO(carry[PER_CELL*i+:PER_CELL])
        );
      end
    end
    assign sum = {carry[BITS-1], total[BITS-1:0]};
  end else begin : g_portable
    assign sum = (WIDTH + 2)'(a) + (WIDTH + 2)'(b) + (WIDTH + 2)'(c);
  end
endmodule
