// How many cycles each pipeline takes, for those who wait for it; its module is built to match.
// verilator lint_off UNUSEDPARAM
package latency;
  localparam int REQUANTIZE = 5;  // operands, product, sum, coarse shift, fine shift and clamp

  // a register behind every second halving of the width, and one behind the last
  function automatic int normalize(input int bits);
    normalize = ($clog2(bits) + 1) / 2;
  endfunction

  localparam int OCTAVE_TABLE = 3;  // table, product, difference

  function automatic int octave(input int bits);
    octave = normalize(bits) + OCTAVE_TABLE;
  endfunction

  localparam int SCALE_BY = 3;  // operands, product, shift
  localparam int EXPONENT = 4;  // product, shift, table, rounding
endpackage
// verilator lint_on UNUSEDPARAM
