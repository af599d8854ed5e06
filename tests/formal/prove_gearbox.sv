// gearbox.sv: a row's bytes leave once, in order, its last word is marked, rows do not mix.
//
// Numbers count units of a row, modulo more than the window holds. One unit is followed.
module prove_gearbox #(
    parameter int IN  = 2,
    parameter int OUT = 3,
    // greatest divisor: 1 at these sizes
    localparam int UNITS = IN + OUT - 1,
    localparam int COUNT_BITS = sizes::bits_for(UNITS),
    localparam int NUMBER_BITS = COUNT_BITS + 1
) (
    input  logic            clk,
    input  logic            rst,
    input  logic            in_valid,
    input  logic [8*IN-1:0] in_data,
    input  logic            in_last,
    input  logic            out_ready,
    output logic            in_ready,
    output logic            out_valid
);
  logic [8*OUT-1:0] out_data;
  logic out_last;
  gearbox #(
      .IN (IN),
      .OUT(OUT)
  ) dut (
      .clk,
      .rst,
      .in_valid,
      .in_ready,
      .in_data,
      .in_last,
      .out_valid,
      .out_ready,
      .out_data,
      .out_last
  );
  follow_stream #(
      .WIDTH(8 * OUT + 1)
  ) u_out (
      .clk,
      .rst,
      .valid(out_valid),
      .ready(out_ready),
      .data ({out_data, out_last})
  );

  (* hierconn *) wire [8*UNITS-1:0] \dut.window ;
  (* hierconn *) wire [COUNT_BITS-1:0] \dut.gone ;
  (* hierconn *) wire \dut.ending , \dut.padded , \dut.pad , \dut.frees ;

  (* anyconst *) logic [NUMBER_BITS-1:0] followed;
  logic [7:0] unit;
  logic [NUMBER_BITS-1:0] came, went, padding, left, came_then, ahead, behind;
  logic ended, take, give;
  assign take = in_valid && in_ready;
  assign give = out_valid && out_ready;
  assign left = came - went;
  assign ahead = followed - went;
  assign came_then = give && out_last ? '0 : came;  // what is taken with a row's last is of the next
  assign behind = followed - came_then;

  initial assume (rst);
  always_ff @(posedge clk) begin
    if (take && behind < NUMBER_BITS'(IN)) unit <= in_data[8*behind+:8];
    if (rst) begin
      came    <= '0;
      went    <= '0;
      padding <= '0;
      ended   <= 1'b0;
    end else begin
      came <= came_then + (take ? NUMBER_BITS'(IN) : '0);
      if (give) went <= out_last ? '0 : went + NUMBER_BITS'(OUT);
      if (give && out_last) padding <= '0;
      else if (\dut.pad ) padding <= padding + NUMBER_BITS'(IN);
      if (take) ended <= in_last;
      else if (give && out_last) ended <= 1'b0;

      if (take) assert (!ended || (give && out_last));
      if (out_valid) begin
        assert (left != '0);
        assert (out_last == (ended && left <= NUMBER_BITS'(OUT)));
        if (!out_last) assert (left >= NUMBER_BITS'(OUT));
        if (ahead < NUMBER_BITS'(OUT) && ahead < left) assert (out_data[8*ahead+:8] == unit);
      end
      if (!out_valid && !ended) assert (in_ready);

      // the invariant
      assert (ended == \dut.ending && \dut.padded == (padding != '0));
      assert (int'(left) <= UNITS && int'(\dut.gone ) + int'(left) + int'(padding) == UNITS);
      assert (out_valid == (int'(\dut.gone ) < IN));
      assert (out_last == (ended && (padding != '0 || int'(\dut.gone ) == IN - 1)));
      assert (\dut.frees == (out_last || int'(\dut.gone ) + OUT >= IN));
      if (ended) assert (left != '0);
      else assert (padding == '0);
      if (padding != '0) assert (left < NUMBER_BITS'(OUT));
      if (ahead < left) assert (\dut.window [8*(int'(\dut.gone )+int'(ahead))+:8] == unit);

      cover (give && out_last && take && left < NUMBER_BITS'(OUT));
      cover (give && out_last && left == NUMBER_BITS'(OUT) && went != '0);
    end
  end
endmodule
