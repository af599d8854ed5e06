// Passes of binary_engine.sv, numbered modulo four: which one reads, which ones wait to be read.
//
// `reading` is the pass whose look-up meets its operands in this cycle, READ cycles behind its issue.
module follow_engine #(
    parameter int READ = 4,
    parameter int PASS = 8  // words of a pass in a run that does not wait
) (
    input  logic                     clk,
    input  logic                     rst,
    input  logic                     start,
    input  vaqf_pkg::command_t       command,
    input  logic                     eager,        // see below
    input  logic                     goes_on,      // nobody outside holds the engine up
    // of the engine
    input  logic                     active,
    input  logic               [1:0] prepared,
    input  logic                     bank,
    input  logic              [15:0] word,
    input  logic              [15:0] interval,
    input  logic                     issue,
    input  logic                     pass_end,
    input  logic                     prepare_done,
    input  logic [latency::RING:0]   freeing,      // ends of passes on their way to the operands
    output logic               [1:0] pass,         // that is issued
    output logic               [1:0] ready,        // passes whose preparation has ended, to `pass_end`
    output logic               [2:0] waiting,      // the same to `free`
    output logic                     reads,
    output logic               [1:0] reading
);
  // what the engine reads of its command
  logic [55:0] fields, fields_q;
  assign fields = {
    command.n_words, command.k_words, command.tokens, command.planes, command.digits
  };
  logic [READ-1:0] issued;
  logic [2*READ-1:0] passes;
  assign ready = prepared + 2'(prepare_done);
  always_comb begin
    waiting = 3'(prepared) + 3'(prepare_done);
    for (int i = 1; i <= latency::RING; ++i) waiting = waiting + 3'(freeing[i]);
  end
  assign reads = issued[READ-1];
  assign reading = passes[2*READ-1-:2];

  // A solver searches long for a run of many passes among all runs: `eager` leaves it one.
  // Proofs leave it free, searches for a cover statement or a mutant's failure set it.
  logic runs;
  always_ff @(posedge clk) begin
    runs <= !rst;
    if (eager && runs) assume (!rst && goes_on && start == !active);
    if (eager) assume (command.n_words == 16'(PASS) && command.k_words == '1);
  end

  always_ff @(posedge clk) begin
    fields_q <= fields;
    passes <= {passes[2*READ-3:0], pass};
    if (rst) begin
      issued <= '0;
      pass   <= '0;
    end else begin
      issued <= {issued[READ-2:0], issue};
      pass   <= pass + 2'(pass_end);
      // as check_command leaves it
      if (start) begin
        assume (!active && command.n_words != '0);
        assume (command.n_words <= 16'(vaqf_pkg::OUTPUT_WORDS));
      end
      if (active) assume (fields == fields_q);
      assert (pass[0] == bank);
      if (active) begin
        assert (command.n_words != '0 && command.n_words <= 16'(vaqf_pkg::OUTPUT_WORDS));
        assert (word < interval);
        assert (word == '0 || prepared != '0);
      end
      if (issue) assert (prepared != '0);
    end
  end
endmodule

// sum(a) is no part of these proofs: it takes loads at will
module operand_sums (
    input  logic                                          clk,
    input  logic                                          rst,
    input  logic                                          start,
    input  vaqf_pkg::command_t                            command,
    output logic                                          room,
    input  logic                                          take,
    input  logic [               vaqf_pkg::LOAD_BITS-1:0] load_data,
    output logic                                          sums_valid,
    input  logic                                          sums_ready,
    output logic [vaqf_pkg::TOKENS*vaqf_pkg::ACC_BITS-1:0] sums_data
);
  (* anyseq *) logic free_room;
  assign room = free_room;
  assign sums_valid = 1'b0;
  assign sums_data = '0;
endmodule
