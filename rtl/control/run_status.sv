// What the host may read of a run and of the design: words from `capability` on of the control port.
//
// `data` follows `word` by latency::STATUS cycles.
module run_status (
    input  logic                                                 clk,
    input  logic                                                 rst,
    input  logic [                                          9:0] word,
    output logic [                                         31:0] data,
    input  logic                                                 start,
    input  logic                                                 idle,
    input  logic [                                          7:0] status,
    input  logic                                                 timed_out,
    input  logic [                                          7:0] ports_error,
    input  logic [                                         31:0] stopped_at,
    input  logic [                                         31:0] frames_done,
    input  logic                                                 look_up,
    input  logic                                                 matmul_busy,
    input  logic [sizes::index_bits(vaqf_pkg::MAX_COMMANDS)-1:0] matmul_index,
    input  logic                                                 attention_busy,
    input  logic [sizes::index_bits(vaqf_pkg::MAX_COMMANDS)-1:0] attention_index,
    output logic [sizes::index_bits(vaqf_pkg::MAX_COMMANDS)-1:0] index,
    input  logic [                                         31:0] cycles
);
  logic [63:0] run_cycles;
  logic [31:0] look_ups;  // wraps
  always_ff @(posedge clk) begin
    if (rst || start) begin
      run_cycles <= '0;
      look_ups   <= '0;
    end else begin
      run_cycles <= run_cycles + 64'(!idle);
      look_ups   <= look_ups + 32'(look_up);
    end
  end

  vaqf_pkg::capability_t capability;
  vaqf_pkg::error_t error;
  vaqf_pkg::running_t running;
  always_comb begin
    capability = '0;
    capability.version = 8'(vaqf_pkg::MAP_VERSION);
    capability.act_bits = 8'(vaqf_pkg::ACT_BITS);
    capability.table_engine = vaqf_pkg::ENGINE_TABLE;
    error = '0;
    error.status = status;
    {error.results, error.images, error.weights, error.commands} = ports_error;
    error.timed_out = timed_out;
    running.matmul = matmul_busy ? 16'(matmul_index) : '1;
    running.attention = attention_busy ? 16'(attention_index) : '1;
  end

  // as long on its way as the counters of commands
  logic [$bits(word)-1:0] wanted;
  delay #(
      .WIDTH ($bits(word)),
      .CYCLES(latency::MEMORY - 1)
  ) u_wanted (
      .clk,
      .in (word),
      .out(wanted)
  );
  logic [11:0] address;
  logic [31:0] found, found_later;
  assign address = {wanted, 2'b00};
  always_comb begin
    case (address)
      12'(vaqf_pkg::REGISTER_CAPABILITY): found = capability;
      12'(vaqf_pkg::REGISTER_DESIGN_ID): found = vaqf_pkg::DESIGN_ID;
      12'(vaqf_pkg::REGISTER_ERROR): found = error;
      12'(vaqf_pkg::REGISTER_STOPPED_AT): found = stopped_at;
      12'(vaqf_pkg::REGISTER_FRAMES_DONE): found = frames_done;
      12'(vaqf_pkg::REGISTER_RUN_CYCLES): found = run_cycles[31:0];
      12'(vaqf_pkg::REGISTER_RUN_CYCLES + 4): found = run_cycles[63:32];
      12'(vaqf_pkg::REGISTER_LOOK_UPS): found = look_ups;
      12'(vaqf_pkg::REGISTER_RUNNING): found = running;
      default: found = '0;
    endcase
  end
  assign index = word[sizes::index_bits(vaqf_pkg::MAX_COMMANDS)-1:0];
  always_ff @(posedge clk) begin
    found_later <= found;
    data <= {word, 2'b00} >= 12'(vaqf_pkg::REGISTER_COMMAND_CYCLES) ? cycles : found_later;
  end
endmodule
