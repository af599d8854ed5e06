// Walks through R tokens in as many cycles, again and again, or through the R tokens behind them.
//
// `turn` is the last of the R cycles; with `onward` the next R tokens follow. What would lie behind
// the last token repeats it and is `behind`. `address` is token * stride.
module cursor #(
    localparam int TOKEN_BITS   = sizes::bits_for(vaqf_pkg::MAX_TOKENS),
    localparam int ADDRESS_BITS = sizes::index_bits(vaqf_pkg::ATTENTION_DEPTH)
) (
    input  logic                    clk,
    input  logic                    restart,
    input  logic                    turn,
    input  logic                    onward,
    input  logic [  TOKEN_BITS-1:0] tokens,
    input  logic [ADDRESS_BITS-1:0] stride,
    output logic [  TOKEN_BITS-1:0] token,
    output logic [ADDRESS_BITS-1:0] address,
    output logic                    behind,
    output logic                    at_end,      // at the last token: with `turn`, none are left
    output logic                    at_end_then  // in the next cycle
);
  logic [TOKEN_BITS-1:0] base, next;
  logic [ADDRESS_BITS-1:0] base_address, next_address;
  logic [TOKEN_BITS-1:0] last_but_one;  // of tokens, which stand still from a restart on
  logic one_token, next_at_end, base_at_end;
  assign next = token + 1'b1;
  assign next_address = address + stride;
  assign one_token = tokens == TOKEN_BITS'(1);
  assign next_at_end = token == last_but_one;

  always_comb begin
    at_end_then = at_end || next_at_end;
    if (turn) at_end_then = onward ? next_at_end : base_at_end;
    if (restart) at_end_then = one_token;
  end

  always_ff @(posedge clk) begin
    last_but_one <= tokens - TOKEN_BITS'(2);
    at_end <= at_end_then;
    if (restart) begin
      {token, address, behind} <= '0;
      {base, base_address}     <= '0;
      base_at_end              <= one_token;
    end else if (turn && onward) begin
      {token, address, behind} <= {next, next_address, 1'b0};
      {base, base_address}     <= {next, next_address};
      base_at_end              <= next_at_end;
    end else if (turn) begin
      {token, address, behind} <= {base, base_address, 1'b0};
    end else if (at_end) begin
      behind <= 1'b1;
    end else begin
      {token, address} <= {next, next_address};
    end
  end
endmodule
