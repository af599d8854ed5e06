// The registers that a host runs the accelerator with: AXI4-Lite, laid out as Vitis HLS does.
//
// docs/accelerator.md lists them. `start` is a pulse; the bit that a host sets for it stays until
// `ready`, upon which auto restart starts again at once. Arguments are shown as they are written:
// sampling them is the kernel's. From `capability` on, `status` is the word that `status_word` asks for, after
// latency::STATUS cycles; below, reads of what is no register give 0. Writes elsewhere go nowhere.
module control (
    input  logic        clk,
    input  logic        rst,
    output logic        start,
    input  logic        done,               // a pulse: what was written is in memory
    input  logic        ready,              // a pulse: may be started again
    input  logic        idle,
    output logic        interrupt_request,
    output logic [63:0] commands,
    output logic [63:0] weights,
    output logic [63:0] images,
    output logic [63:0] results,
    output logic [31:0] n_frames,
    output logic [31:0] n_commands,

    output logic [ 9:0] status_word,
    input  logic [31:0] status,

    input  logic        awvalid,
    output logic        awready,
    input  logic [11:0] awaddr,
    input  logic        wvalid,
    output logic        wready,
    input  logic [31:0] wdata,
    input  logic [ 3:0] wstrb,
    output logic        bvalid,
    input  logic        bready,
    output logic [ 1:0] bresp,
    input  logic        arvalid,
    output logic        arready,
    input  logic [11:0] araddr,
    output logic        rvalid,
    input  logic        rready,
    output logic [31:0] rdata,
    output logic [ 1:0] rresp
);
  // words; those of 64 bits take two
  localparam int CONTROL = vaqf_pkg::REGISTER_CONTROL / 4;
  localparam int INTERRUPTS_ON = vaqf_pkg::REGISTER_INTERRUPTS_ON / 4;
  localparam int INTERRUPT_ENABLE = vaqf_pkg::REGISTER_INTERRUPT_ENABLE / 4;
  localparam int INTERRUPT_STATUS = vaqf_pkg::REGISTER_INTERRUPT_STATUS / 4;
  localparam int COMMANDS = vaqf_pkg::REGISTER_COMMANDS / 4;
  localparam int WEIGHTS = vaqf_pkg::REGISTER_WEIGHTS / 4;
  localparam int IMAGES = vaqf_pkg::REGISTER_IMAGES / 4;
  localparam int RESULTS = vaqf_pkg::REGISTER_RESULTS / 4;
  localparam int N_FRAMES = vaqf_pkg::REGISTER_N_FRAMES / 4;
  localparam int N_COMMANDS = vaqf_pkg::REGISTER_N_COMMANDS / 4;
  localparam int STATUS = vaqf_pkg::REGISTER_CAPABILITY / 4;  // the first one of run_status.sv
  localparam logic [STATUS-1:0] IS_ARGUMENT =
      32'd3 << COMMANDS | 32'd3 << WEIGHTS | 32'd3 << IMAGES | 32'd3 << RESULTS |
      32'd1 << N_FRAMES | 32'd1 << N_COMMANDS;

  // address and data of a write come in any order; both are here before it is done
  logic [9:0] write_word, read_word;
  logic [31:0] value;
  logic [ 3:0] strobes;
  logic writes, reads;
  logic [latency::STATUS:0] reading;  // cycles since the address
  logic [32*STATUS-1:0] registers;
  logic [31:0] found;
  assign writes = !awready && !wready && !bvalid;
  assign reads = reading[latency::STATUS];
  assign found = read_word < 10'(STATUS) ? registers[32*read_word[$clog2(STATUS)-1:0]+:32] : status;
  assign status_word = read_word;
  assign bresp = 2'b00;
  assign rresp = 2'b00;

  always_ff @(posedge clk) begin
    if (awvalid && awready) write_word <= awaddr[11:2];
    if (wvalid && wready) {strobes, value} <= {wstrb, wdata};
    if (arvalid && arready) read_word <= araddr[11:2];
    if (reads) rdata <= found;
    reading <= rst ? '0 : {reading[latency::STATUS-1:0], arvalid && arready};
    if (rst) begin
      awready <= 1'b1;
      wready  <= 1'b1;
      bvalid  <= 1'b0;
      arready <= 1'b1;
      rvalid  <= 1'b0;
    end else begin
      awready <= writes || (awready && !awvalid);
      wready  <= writes || (wready && !wvalid);
      bvalid  <= writes || (bvalid && !bready);
      arready <= (rvalid && rready) || (arready && !arvalid);
      rvalid  <= reads || (rvalid && !rready);
    end
  end

  // what a host writes and reads, as the registers have it
  vaqf_pkg::control_t control_in, control_out;
  vaqf_pkg::interrupts_on_t on_in, on_out;
  vaqf_pkg::interrupt_enable_t enable_in, enable_out;
  vaqf_pkg::interrupt_status_t status_in, status_out;
  assign control_in = value;
  assign on_in = value;
  assign enable_in = value;
  assign status_in = value;

  // bit 0 of what happens is done, bit 1 ready
  logic started, auto_restart, interrupts_on;
  logic [1:0] happens, seen, enabled, raised;
  logic low_byte, controls, asks, begins;
  assign happens  = {ready, done};
  assign low_byte = writes && strobes[0];
  assign controls = low_byte && write_word == 10'(CONTROL);
  assign asks     = controls && control_in.start;
  assign begins   = (asks && (!started || ready)) || (auto_restart && ready);

  always_ff @(posedge clk) begin
    if (rst) begin
      start             <= 1'b0;
      started           <= 1'b0;
      auto_restart      <= 1'b0;
      seen              <= '0;
      interrupts_on     <= 1'b0;
      enabled           <= '0;
      raised            <= '0;
      interrupt_request <= 1'b0;
    end else begin
      start   <= begins;
      started <= begins || (started && !ready);
      if (controls) auto_restart <= control_in.auto_restart;
      // what happens while it is read or toggled is not lost
      seen <= (reads && read_word == 10'(CONTROL) ? '0 : seen) | happens;
      if (low_byte && write_word == 10'(INTERRUPTS_ON)) interrupts_on <= on_in.on;
      if (low_byte && write_word == 10'(INTERRUPT_ENABLE))
        enabled <= {enable_in.ready, enable_in.done};
      raised <= (low_byte && write_word == 10'(INTERRUPT_STATUS) ?
                 raised ^ {status_in.ready, status_in.done} : raised) | (enabled & happens);
      interrupt_request <= interrupts_on && raised != '0;
    end
`ifndef SYNTHESIS
    if (!rst && ready) assert (started);
`endif
  end

  always_comb begin
    control_out = '0;
    control_out.start = started;
    control_out.done = seen[0];
    control_out.idle = idle && !started;
    control_out.ready = seen[1];
    control_out.auto_restart = auto_restart;
    on_out = '0;
    on_out.on = interrupts_on;
    enable_out = '0;
    {enable_out.ready, enable_out.done} = enabled;
    status_out = '0;
    {status_out.ready, status_out.done} = raised;
  end
  assign registers[32*CONTROL+:32] = control_out;
  assign registers[32*INTERRUPTS_ON+:32] = on_out;
  assign registers[32*INTERRUPT_ENABLE+:32] = enable_out;
  assign registers[32*INTERRUPT_STATUS+:32] = status_out;

  for (genvar i = COMMANDS; i < STATUS; ++i) begin : g_word
    if (IS_ARGUMENT[i]) begin : g_argument
      logic [31:0] argument;
      always_ff @(posedge clk) begin
        for (int b = 0; b < 4; ++b)
        if (writes && write_word == 10'(i) && strobes[b]) argument[8*b+:8] <= value[8*b+:8];
      end
      assign registers[32*i+:32] = argument;
    end else begin : g_nothing
      assign registers[32*i+:32] = '0;
    end
  end
  assign commands   = registers[32*COMMANDS+:64];
  assign weights    = registers[32*WEIGHTS+:64];
  assign images     = registers[32*IMAGES+:64];
  assign results    = registers[32*RESULTS+:64];
  assign n_frames   = registers[32*N_FRAMES+:32];
  assign n_commands = registers[32*N_COMMANDS+:32];

  logic unused;  // every register is a word, and bits without a meaning go nowhere
  assign unused = &{1'b0, awaddr[1:0], araddr[1:0], control_in, on_in, enable_in, status_in};
endmodule
