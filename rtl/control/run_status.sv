// What the host may read of a run and of the design: words 0x80 / 4 and on of the control port.
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
  localparam int FIRST = 'h80 / 4;
  localparam int COMMANDS = 'h800 / 4;
  localparam int MAP_VERSION = 1;

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

  logic [31:0] found, found_later;
  logic [15:0] matmul, attention;
  assign matmul = matmul_busy ? 16'(matmul_index) : '1;
  assign attention = attention_busy ? 16'(attention_index) : '1;
  always_comb begin
    case (word)
      10'(FIRST): found = {15'b0, vaqf_pkg::ENGINE_TABLE, 8'(vaqf_pkg::ACT_BITS), 8'(MAP_VERSION)};
      10'(FIRST + 1): found = vaqf_pkg::DESIGN_ID;
      10'(FIRST + 2): found = {15'b0, timed_out, ports_error, status};
      10'(FIRST + 3): found = stopped_at;
      10'(FIRST + 4): found = frames_done;
      10'(FIRST + 5): found = run_cycles[31:0];
      10'(FIRST + 6): found = run_cycles[63:32];
      10'(FIRST + 7): found = look_ups;
      10'(FIRST + 8): found = {attention, matmul};
      default: found = '0;
    endcase
  end
  delay #(
      .WIDTH (32),
      .CYCLES(latency::MEMORY)
  ) u_found (
      .clk,
      .in (found),
      .out(found_later)
  );
  assign index = word[sizes::index_bits(vaqf_pkg::MAX_COMMANDS)-1:0];
  always_ff @(posedge clk) data <= word >= 10'(COMMANDS) ? cycles : found_later;
endmodule
