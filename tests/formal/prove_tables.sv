// binary_engine.sv with lookup.sv: tables that are read are never written, and were made for the pass.
//
// One entry of the tables, chosen by the solver, is followed: `written` is the pass it was last
// written for. Sums of operands and what is done with sums are left out.
module prove_tables #(
    localparam int SHARE = vaqf_pkg::SHARE
) (
    input logic                                   clk,
    input logic                                   rst,
    input logic                                   start,
    input vaqf_pkg::command_t                     command,
    input logic                                   load_valid,
    input logic               [vaqf_pkg::LOAD_BITS-1:0] load_data,
    input logic                                   ring_available,
    input logic                                   allowed,
    output logic                                  load_ready
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
      .READ(latency::RING + 1),
      .PASS(18 * SHARE)  // tables take 16 cycles: both halves are ready now and then
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

  (* hierconn *) wire \dut.g_table.u_sums.active , \dut.g_table.u_sums.take ,
      \dut.g_table.u_sums.half , \dut.g_table.u_sums.half_next , \dut.g_table.u_sums.finish_q ,
      \dut.g_table.u_sums.finish ;
  (* hierconn *) wire [3:0] \dut.g_table.u_sums.step ;
  (* hierconn *) wire [1:0] \dut.g_table.u_sums.held ;
  (* hierconn *) wire [SHARE-1:0] \dut.g_table.u_sums.turn , \dut.g_table.u_sums.turn_next ,
      \dut.g_table.u_sums.write_q , \dut.g_table.u_sums.write ;
  (* hierconn *) wire [4:0] \dut.g_table.u_sums.address_q , \dut.g_table.u_sums.address ;
  // at the memories
  (* hierconn *) wire [SHARE-1:0] \dut.g_table.u_sums.g_block[0].g_pair[0].u_sums.write_q ;
  (* hierconn *) wire [4:0] \dut.g_table.u_sums.g_block[0].g_pair[0].u_sums.write_address_q ;
  (* hierconn *)
  wire [vaqf_pkg::PE-1:0] \dut.g_table.u_sums.g_block[0].g_pair[0].u_sums.g_copy[0].bank_q ;
  logic active, take, half, half_next, read_bank;
  logic [3:0] step;
  logic [SHARE-1:0] turn, turn_next, write_1, write_2, write_3;
  logic [4:0] address_1, address_2, address_3;
  assign active = \dut.g_table.u_sums.active ;
  assign take = \dut.g_table.u_sums.take ;
  assign half = \dut.g_table.u_sums.half ;
  assign half_next = \dut.g_table.u_sums.half_next ;
  assign step = \dut.g_table.u_sums.step ;
  assign turn = \dut.g_table.u_sums.turn ;
  assign turn_next = \dut.g_table.u_sums.turn_next ;
  assign write_1 = \dut.g_table.u_sums.write_q ;
  assign write_2 = \dut.g_table.u_sums.write ;
  assign write_3 = \dut.g_table.u_sums.g_block[0].g_pair[0].u_sums.write_q ;
  assign address_1 = \dut.g_table.u_sums.address_q ;
  assign address_2 = \dut.g_table.u_sums.address ;
  assign address_3 = \dut.g_table.u_sums.g_block[0].g_pair[0].u_sums.write_address_q ;
  assign read_bank = \dut.g_table.u_sums.g_block[0].g_pair[0].u_sums.g_copy[0].bank_q [0];

  // the entry: half, then its place; and the step that makes it
  (* anyconst *) logic [4:0] entry;
  (* anyconst *) logic [$clog2(SHARE+1)-1:0] turn_followed;
  logic [3:0] entry_step;
  always_comb begin
    case (entry[3:1])
      3'b000:  entry_step = {3'd0, entry[0]};
      3'b001:  entry_step = {3'd1, entry[0]};
      3'b011:  entry_step = {3'd2, entry[0]};
      3'b111:  entry_step = {3'd3, entry[0]};
      3'b010:  entry_step = {3'd4, entry[0]};
      3'b110:  entry_step = {3'd5, entry[0]};
      3'b100:  entry_step = {3'd6, entry[0]};
      default: entry_step = {3'd7, entry[0]};
    endcase
  end

  // passes: the one whose tables are begun next, the one being made, those on their way to the memory
  logic [1:0] next, making, making_1, making_2, making_3, written, found;
  logic last_round, unfinished, done;
  logic [2:0] finished;  // halves that are complete, or will be in two cycles, and not free
  assign last_round = active && turn[SHARE-1];
  assign unfinished = last_round || !turn_next[0];  // a half between first and last round
  assign finished = waiting + 3'(\dut.g_table.u_sums.finish_q ) + 3'(\dut.g_table.u_sums.finish );
  assign making = next - 2'(last_round);
  // the pass that the entry has when all that is on its way has arrived
  always_comb begin
    found = written;
    if (write_3[turn_followed] && address_3 == entry) found = making_3;
    if (write_2[turn_followed] && address_2 == entry) found = making_2;
    if (write_1[turn_followed] && address_1 == entry) found = making_1;
    // in the half being made: is it behind the entry?
    done = active && turn[turn_followed] && step > entry_step;
    for (int f = 1; f < SHARE; ++f) begin
      if (int'(turn_followed) < f && turn_next[f] && !active) done = 1'b1;
      if (int'(turn_followed) < f && active && turn[f]) done = 1'b1;
    end
  end

  initial assume (rst);
  always_ff @(posedge clk) begin
    assume (int'(turn_followed) < SHARE);
    making_1 <= making;
    making_2 <= making_1;
    making_3 <= making_2;
    if (write_3[turn_followed] && address_3 == entry) written <= making_3;
    if (rst) next <= '0;
    else next <= next + 2'(take && turn_next[SHARE-1]);

    if (!rst) begin
      if (reads) begin
        assert (read_bank == reading[0]);
        if (read_bank == entry[4]) assert (written == reading);
        assert (write_3 == '0 || address_3[4] != read_bank);
      end

      // the invariant: who holds which half
      assert (int'(\dut.g_table.u_sums.held ) <= 2);
      assert (3'(\dut.g_table.u_sums.held ) == finished + 3'(unfinished));
      assert (next == pass + ready + 2'(last_round) + 2'(\dut.g_table.u_sums.finish_q ) +
              2'(\dut.g_table.u_sums.finish ));
      assert (half_next == next[0]);
      assert (turn_next != '0 && (turn_next & (turn_next - 1'b1)) == '0);
      if (active) begin
        assert (half == making[0]);
        assert (turn_next == (SHARE == 1 ? turn : SHARE'({turn, turn[SHARE-1]})));
      end
      // and for which pass the entry is
      if (unfinished && making[0] == entry[4]) begin
        if (done) assert (found == making);
      end else if (making[0] == entry[4]) begin
        if (finished >= 3'd2) assert (found == making - 2'd2);
      end else if (finished != '0) begin
        assert (found == making - 2'd1);
      end

      cover (reads && reading == 2'd2);  // a half is used again
      cover (reads && write_3 != '0);
      cover (\dut.issue && \dut.g_table.u_sums.held == 2'd2 && finished == 3'd2);
    end
  end
endmodule
