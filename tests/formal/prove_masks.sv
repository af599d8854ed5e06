// binary_engine.sv with masked_sum.sv: operands that are read belong to the pass, to its end.
//
// `current` is the pass whose operands are in the registers of masked_sum.sv.
module prove_masks (
    input logic                                         clk,
    input logic                                         rst,
    input logic                                         start,
    input vaqf_pkg::command_t                           command,
    input logic                                         load_valid,
    input logic               [vaqf_pkg::LOAD_BITS-1:0] load_data,
    input logic                                         ring_available,
    input logic                                         allowed,
    output logic                                        load_ready
);
  binary_engine dut (
      .clk,
      .rst,
      .start,
      .command,
      .load_valid,
      .load_ready,
      .load_data,
      .ring_offset(),
      .ring_read(),
      .ring_available,
      .ring_release(),
      .ring_data('0),
      .allowed,
      .issued(),
      .acc_valid(),
      .acc_data(),
      .sums_valid(),
      .sums_ready(1'b0),
      .sums_data()
  );

  (* hierconn *) wire \dut.active , \dut.bank , \dut.room , \dut.issue , \dut.pass_end , \dut.prepare_done ;
  (* hierconn *) wire [1:0] \dut.prepared ;
  localparam int INTERVAL_BITS = sizes::bits_for(
      sizes::most(vaqf_pkg::OUTPUT_WORDS, vaqf_pkg::MIN_INTERVAL)
  );
  (* hierconn *) wire [INTERVAL_BITS-1:0] \dut.word , \dut.interval ;
  (* hierconn *) wire [latency::RING:0] \dut.u_free_delay.g_registers.line ;
  logic [1:0] pass, ready, reading;
  logic [2:0] waiting;
  logic reads;
  (* anyconst *) logic eager;
  follow_engine #(
      .READ(latency::RING + 1)
  ) u_engine (
      .clk,
      .rst,
      .start,
      .command,
      .eager,
      .goes_on(load_valid && ring_available && allowed && \dut.room ),
      .active(\dut.active ),
      .prepared(\dut.prepared ),
      .bank(\dut.bank ),
      .word(16'(\dut.word )),
      .interval(16'(\dut.interval )),
      .issue(\dut.issue ),
      .pass_end(\dut.pass_end ),
      .prepare_done(\dut.prepare_done ),
      .freeing(\dut.u_free_delay.g_registers.line ),
      .pass,
      .ready,
      .waiting,
      .reads,
      .reading
  );

  (* hierconn *) wire \dut.g_adder.u_sums.full , \dut.g_adder.u_sums.take ,
      \dut.g_adder.u_sums.held , \dut.g_adder.u_sums.seen , \dut.g_adder.u_sums.g_token[0].take_q ;
  logic [1:0] taken;  // the next pass to be taken
  logic [1:0] current;
  logic taken_now;
  assign taken_now = \dut.g_adder.u_sums.g_token[0].take_q ;

  initial assume (rst);
  always_ff @(posedge clk) begin
    if (rst) taken <= '0;
    else taken <= taken + 2'(\dut.g_adder.u_sums.take );
    if (taken_now) current <= taken - 2'd1;

    if (!rst) begin
      if (reads) assert (current == reading);

      // the invariant
      assert (waiting == 3'(\dut.g_adder.u_sums.held ) + 3'(\dut.g_adder.u_sums.seen ));
      if (\dut.g_adder.u_sums.seen ) assert (\dut.g_adder.u_sums.full && \dut.g_adder.u_sums.held );
      assert (taken + 2'(\dut.g_adder.u_sums.seen ) == pass + ready);
      if (\dut.g_adder.u_sums.held ) assert (taken_now || current == taken - 2'd1);

      cover (reads && pass == 2'd3 && reading == 2'd2);
      cover (\dut.issue && \dut.g_adder.u_sums.seen && \dut.g_adder.u_sums.take );
    end
  end
endmodule
