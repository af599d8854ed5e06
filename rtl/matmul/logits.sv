// Words of P logits that come when they come -> beats of four, as 32-bit integers.
//
// A memory takes all words of a network. From there logits move in units that divide a word and a
// beat: one unit per cycle. `done` follows the last beat that was accepted; a beat's place behind
// the last logit is 0.
module logits (
    input  logic                                              clk,
    input  logic                                              rst,
    input  logic                                              start,
    input  logic [sizes::bits_for(vaqf_pkg::MAX_OUTPUTS)-1:0] outputs,    // 0: nothing to do
    input  logic                                              in_valid,
    input  logic [     vaqf_pkg::PE*vaqf_pkg::LOGIT_BITS-1:0] in_data,
    output logic                                              out_valid,
    input  logic                                              out_ready,
    output logic [                   vaqf_pkg::PORT_BITS-1:0] out_data,
    output logic                                              out_last,
    output logic                                              done
);
  localparam int P = vaqf_pkg::PE;
  localparam int BITS = vaqf_pkg::LOGIT_BITS;
  localparam int PER_BEAT = vaqf_pkg::PORT_BITS / 32;
  localparam int UNIT = P % 4 == 0 ? 4 : P % 2 == 0 ? 2 : 1;
  localparam int UNITS = P / UNIT;  // of a word
  localparam int PLACES = PER_BEAT / UNIT;  // of a beat
  localparam int UNIT_BITS = sizes::index_bits(UNITS);
  localparam int PLACE_BITS = sizes::index_bits(PLACES);

  logic in_ready, word_valid, word_taken;
  logic [P*BITS-1:0] word;
  fifo #(
      .WIDTH(P * BITS),
      .DEPTH(vaqf_pkg::OUTPUT_WORDS),
      .DEEP (1'b1)
  ) u_fifo (
      .clk,
      .rst,
      .in_valid,
      .in_ready,
      .in_data,
      .out_valid(word_valid),
      .out_ready(word_taken),
      .out_data (word)
  );

  localparam int LEFT_BITS = $bits(outputs);
  logic [ LEFT_BITS-1:0] left;  // logits that are in no beat yet
  logic [ UNIT_BITS-1:0] unit;
  logic [PLACE_BITS-1:0] place;
  logic take, some, ends;  // some are left, no more than a unit: in registers
  assign take = word_valid && some && (!out_valid || out_ready);
  assign word_taken = take && (ends || unit == UNIT_BITS'(UNITS - 1));

  logic [UNIT*BITS-1:0] of_unit, given;
  always_comb begin
    of_unit = word[UNIT*BITS-1:0];
    for (int i = 1; i < UNITS; ++i) begin
      if (unit == UNIT_BITS'(i)) of_unit = word[i*UNIT*BITS+:UNIT*BITS];
    end
  end
  for (genvar i = 0; i < UNIT; ++i) begin : g_given
    assign given[i*BITS+:BITS] = left > LEFT_BITS'(i) ? of_unit[i*BITS+:BITS] : '0;
  end

  logic [PER_BEAT*BITS-1:0] beat;
  for (genvar i = 0; i < PLACES; ++i) begin : g_place
    always_ff @(posedge clk) begin
      if (take && place == PLACE_BITS'(i)) beat[i*UNIT*BITS+:UNIT*BITS] <= given;
      else if (take && place == '0) beat[i*UNIT*BITS+:UNIT*BITS] <= '0;
    end
  end
  for (genvar i = 0; i < PER_BEAT; ++i) begin : g_integer
    assign out_data[32*i+:32] = 32'(signed'(beat[i*BITS+:BITS]));
  end

  always_ff @(posedge clk) begin
    if (start) begin
      left  <= outputs;
      some  <= outputs != '0;
      ends  <= outputs <= LEFT_BITS'(UNIT);
      unit  <= '0;
      place <= '0;
    end else if (take) begin
      left  <= ends ? '0 : left - LEFT_BITS'(UNIT);
      some  <= !ends;
      ends  <= int'(left) <= 2 * UNIT;
      unit  <= word_taken ? '0 : unit + 1'b1;
      place <= ends || place == PLACE_BITS'(PLACES - 1) ? '0 : place + 1'b1;
    end
    if (take) out_last <= ends;
    if (rst) out_valid <= 1'b0;
    else if (take) out_valid <= ends || place == PLACE_BITS'(PLACES - 1);
    else if (out_ready) out_valid <= 1'b0;
    done <= !rst && out_valid && out_ready && out_last;
`ifndef SYNTHESIS
    if (!rst) begin
      assert (!in_valid || in_ready);
      assert (!(start && (word_valid || out_valid)));
      assert (some == (left != '0) && (!some || ends == (left <= LEFT_BITS'(UNIT))));
    end
`endif
  end
endmodule
