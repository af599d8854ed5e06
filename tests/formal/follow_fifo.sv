// What goes into fifo.sv comes out once, in order: one word, chosen by the solver, is followed.
//
// Words are numbered modulo more than the FIFO holds. Where the followed word lies is the invariant
// that makes the proof inductive; what a reader may see follows from it.
module follow_fifo #(
    parameter int WIDTH = 1,
    parameter int DEPTH = 2,
    parameter bit DEEP = 1'b0,
    localparam int ADDRESS_BITS = DEPTH > 1 ? $clog2(DEPTH) : 1,
    localparam int COUNT_BITS = $clog2(DEPTH + 1),
    localparam int NUMBER_BITS = COUNT_BITS + 1
) (
    input logic                    clk,
    input logic                    rst,
    input logic                    in_valid,
    input logic                    in_ready,
    input logic [       WIDTH-1:0] in_data,
    input logic                    out_valid,
    input logic                    out_ready,
    input logic [       WIDTH-1:0] out_data,
    // of the FIFO
    input logic [WIDTH*DEPTH-1:0]  memory,
    input logic [ADDRESS_BITS-1:0] write,
    input logic [ADDRESS_BITS-1:0] read,
    input logic [  COUNT_BITS-1:0] stored,
    input logic                    fetched, // at the read port of a deep one's memory
    input logic [       WIDTH-1:0] found,
    output logic [NUMBER_BITS-1:0] inside // words put and not taken
);
  (* anyconst *) logic [NUMBER_BITS-1:0] followed;
  logic [NUMBER_BITS-1:0] puts, takes, ahead;
  logic [WIDTH-1:0] word;
  logic put, take, held;
  int behind;  // words behind the memory of a deep one
  int place, end_place;
  assign put = in_valid && in_ready;
  assign take = out_valid && out_ready;
  assign inside = puts - takes;
  assign ahead = followed - takes;  // words in front of the followed one
  assign held = DEEP && out_valid;  // a word in the output register
  assign behind = int'(held) + int'(fetched);

  always_comb begin
    place = int'(read) + int'(ahead) - behind;
    if (place >= DEPTH) place = place - DEPTH;
    end_place = int'(read) + int'(stored);
    if (end_place >= DEPTH) end_place = end_place - DEPTH;
  end

  logic comes, goes_on;  // to the read port of a deep one, and into its output register
  always_ff @(posedge clk) begin
    if (put && puts == followed) word <= in_data;
    comes <= !rst && stored != '0 && !fetched;
    goes_on <= !rst && fetched && !out_valid;
    if (rst) begin
      puts  <= '0;
      takes <= '0;
    end else begin
      puts  <= puts + NUMBER_BITS'(put);
      takes <= takes + NUMBER_BITS'(take);
      // count
      assert (stored <= COUNT_BITS'(DEPTH));
      assert (int'(inside) == int'(stored) + behind);
      assert (DEEP || !fetched);
      assert (int'(read) < DEPTH && int'(write) < DEPTH);
      assert (int'(write) == end_place);
      assert (in_ready == (int'(stored) < DEPTH));
      // no word waits without being offered: at once, or behind both registers two cycles later
      if (DEEP) assert ((!comes || fetched) && (!goes_on || out_valid));
      else assert (out_valid == (inside != '0));
      // order and content
      if (ahead < inside) begin
        if (held && ahead == '0) assert (out_data == word);
        else if (fetched && int'(ahead) == int'(held)) assert (found == word);
        else assert (memory[WIDTH*place+:WIDTH] == word);
      end
      if (take) assert (inside != '0);
      if (take && takes == followed) assert (out_data == word);
      cover (take && takes == followed && int'(followed) > DEPTH);  // around the memory's end
    end
  end

  follow_stream #(
      .WIDTH(WIDTH)
  ) u_out (
      .clk,
      .rst,
      .valid(out_valid),
      .ready(out_ready),
      .data (out_data)
  );
endmodule
