// Words of P requantization records, in a memory: multipliers, and biases a cycle behind them.
//
// That is when rtl/arithmetic/multiply_add.sv takes them: biases are read a cycle later and wait nowhere.
module records #(
    parameter int DEPTH = 16
) (
    input  logic                                          clk,
    input  logic                                          write,
    input  logic [          sizes::index_bits(DEPTH)-1:0] write_address,
    input  logic [vaqf_pkg::PE*vaqf_pkg::RECORD_BITS-1:0] write_data,
    input  logic [          sizes::index_bits(DEPTH)-1:0] read_address,
    output logic [vaqf_pkg::PE*vaqf_pkg::RECORD_BITS-1:0] read_data
);
  localparam int P = vaqf_pkg::PE;
  localparam int MULT = vaqf_pkg::MULT_BITS;
  localparam int BIAS = vaqf_pkg::BIAS_BITS;

  logic [P*MULT-1:0] new_mults, mults;
  logic [P*BIAS-1:0] new_biases, biases;
  for (genvar p = 0; p < P; ++p) begin : g_record
    assign {new_biases[p*BIAS+:BIAS], new_mults[p*MULT+:MULT]} =
        write_data[p*vaqf_pkg::RECORD_BITS+:vaqf_pkg::RECORD_BITS];
    assign read_data[p*vaqf_pkg::RECORD_BITS+:vaqf_pkg::RECORD_BITS] = {
      biases[p*BIAS+:BIAS], mults[p*MULT+:MULT]
    };
  end

  memory #(
      .WIDTH(P * MULT),
      .DEPTH(DEPTH)
  ) u_mults (
      .clk,
      .write,
      .write_address,
      .write_data(new_mults),
      .read_address,
      .read_data (mults)
  );
  logic [sizes::index_bits(DEPTH)-1:0] late_address;
  always_ff @(posedge clk) late_address <= read_address;
  memory #(
      .WIDTH(P * BIAS),
      .DEPTH(DEPTH)
  ) u_biases (
      .clk,
      .write,
      .write_address,
      .write_data(new_biases),
      .read_address(late_address),
      .read_data(biases)
  );
endmodule
