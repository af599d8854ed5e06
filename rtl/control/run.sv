// A run from start to done: its arguments, its status, what ends it early.
//
// A bus error or a watchdog that expires aborts it: `halt` holds everything but the ports in reset
// until the run ends, and the ports are flushed. One that still owes answers goes on flushing behind
// the end of the run, and the next run waits for it. `prepare`: what is known of the run before is
// forgotten. Ports: 0 commands, 1 weights, 2 images, 3 results. `status` is the first thing that went
// wrong.
module run #(
    parameter int WATCHDOG = 2 ** 20  // cycles in which nothing moves
) (
    input  logic                                                 clk,
    input  logic                                                 rst,
    // the host
    input  logic                                                 start,
    output logic                                                 done,
    output logic                                                 idle,
    input  logic [                                         31:0] n_frames,
    input  logic [                                         31:0] n_commands,
    input  logic [                                         63:0] commands,
    input  logic [                                         63:0] weights,
    input  logic [                                         63:0] images,
    input  logic [                                         63:0] results,
    // of this run
    output logic [                                         31:0] frames,
    output logic [                                         31:0] count,
    output logic [                                         63:0] commands_base,
    output logic [                                         63:0] weights_base,
    output logic [                                         63:0] images_base,
    output logic [                                         63:0] results_base,
    // what happens, in this order
    output logic                                                 list_start,
    input  logic                                                 list_filled,
    input  logic                                                 list_refused,
    input  logic [sizes::index_bits(vaqf_pkg::MAX_COMMANDS)-1:0] list_refused_index,
    output logic                                                 frames_start,
    input  logic                                                 frames_ended,
    output logic                                                 report_valid,
    input  logic                                                 report_ready,
    // ports and whatever else moves
    input  logic                                                 moved,
    input  logic [                                          3:0] ports_idle,
    input  logic [                                          3:0] ports_failed,
    output logic                                                 prepare,
    output logic [                                          3:0] flush,
    output logic                                                 halt,
    // how it ended
    input  logic [sizes::index_bits(vaqf_pkg::MAX_COMMANDS)-1:0] matmul_index,
    output logic [                                          7:0] status,
    output logic                                                 timed_out,
    output logic [                                         31:0] stopped_at
);
  localparam int RESULTS = 3;
  localparam logic [3:0] ALL = '1;
  localparam logic [7:0] DONE = 8'(vaqf_pkg::STATUS_DONE);

  typedef enum logic [3:0] {
    IDLE,
    PORTS,   // a port owes answers to the run before
    LIST,    // the commands are read
    FRAMES,
    DRAIN,   // logits are on their way, and what pads an image
    ABORT,   // the ports are flushed
    REPORT,  // the status block is asked for
    FINISH,  // and on its way
    END
  } state_t;
  state_t state, next;
  logic halted;
  logic arguments_good, bus_error, computes, working, aborts;
  logic changed, quiet, expired;  // a new state; nothing has moved for long, in this state
  assign arguments_good = n_commands != '0 && n_commands <= 32'(vaqf_pkg::MAX_COMMANDS);
  assign bus_error = ports_failed != '0;
  assign computes = state == FRAMES || state == DRAIN;
  assign working = state == LIST || computes;

  always_comb begin
    next = state;
    case (state)
      IDLE: if (start) next = PORTS;
      PORTS:
      if (flush == '0) next = status == DONE ? LIST : REPORT;
      else if (expired) next = ABORT;
      LIST: if (list_filled) next = list_refused ? REPORT : FRAMES;
      FRAMES: if (frames_ended) next = DRAIN;
      DRAIN: if (ports_idle == ALL) next = REPORT;
      ABORT: if (flush == '0 || expired) next = flush[RESULTS] ? END : REPORT;
      REPORT:
      if (expired) next = END;
      else if (report_ready) next = FINISH;
      FINISH: if (expired || ports_idle[RESULTS]) next = END;
      default: next = IDLE;
    endcase
    if (working && (bus_error || expired)) next = ABORT;
  end
  assign aborts = next == ABORT && state != ABORT;
  assign idle = state == IDLE;
  assign prepare = rst || state == PORTS;

  always_ff @(posedge clk) begin
    list_start   <= !rst && state == PORTS && next == LIST;
    frames_start <= !rst && state == LIST && next == FRAMES;
    done         <= !rst && state == END;
    report_valid <= !rst && next == REPORT;  // with the state: two ports of a mux hang on it
    if (rst) begin
      state <= IDLE;
      halt  <= 1'b0;
      flush <= '0;
    end else begin
      state <= next;
      halt  <= aborts || (halt && state != END);
      if (aborts) flush <= ALL;
      else if (!halt || halted) flush <= flush & ~ports_idle;
      if (state == REPORT || state == FINISH) flush[RESULTS] <= expired;
    end
  end

  // whatever `halt` resets asks for nothing from two cycles behind it on
  always_ff @(posedge clk) halted <= halt;

  // the watchdog hears of a new state a cycle later, so that it is no way behind all that decides
  always_ff @(posedge clk) changed <= rst || next != state;
  assign expired = quiet && !changed;
  watchdog #(
      .CYCLES(WATCHDOG)
  ) u_watchdog (
      .clk,
      .restart(state == IDLE || changed),
      .moved,
      .expired(quiet)
  );

  // -- arguments and status ----------------------------------------------------------------------

  always_ff @(posedge clk) begin
    if (state == IDLE && start) begin
      frames        <= n_frames;
      count         <= n_commands;
      commands_base <= commands;
      weights_base  <= weights;
      images_base   <= images;
      results_base  <= results;
    end
    if (rst) begin
      status     <= DONE;
      timed_out  <= 1'b0;
      stopped_at <= '0;
    end else if (state == IDLE && start) begin
      status     <= arguments_good ? DONE : 8'(vaqf_pkg::STATUS_BAD_ARGUMENTS);
      timed_out  <= 1'b0;
      stopped_at <= '0;
    end else if (state != IDLE && state != END && expired) begin
      timed_out <= 1'b1;
      if (status == DONE) begin
        status <= 8'(vaqf_pkg::STATUS_WATCHDOG);
        if (computes) stopped_at <= 32'(matmul_index);
      end
    end else if ((working || state == FINISH) && bus_error && status == DONE) begin
      status <= 8'(vaqf_pkg::STATUS_BUS_ERROR);
      if (computes) stopped_at <= 32'(matmul_index);
    end else if (state == LIST && list_filled && list_refused) begin
      status     <= 8'(vaqf_pkg::STATUS_BAD_COMMAND);
      stopped_at <= 32'(list_refused_index);
    end
  end
endmodule
