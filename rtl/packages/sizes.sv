// What buffers hold, widths that follow from counts, and products with constants that take no
// multiplier. The estimate reads the numbers here.
// verilator lint_off UNUSEDPARAM
package sizes;
  localparam int LOADS = 32;  // on their way to the engine or waiting, more than the longest way
  localparam int GROUP_SUMS = 17;  // groups between the first load of one and another's last result
  localparam int READ_BEATS = 512;  // asked for or waiting at a port, at least a burst
  localparam int CHUNK_BYTES = 4096;  // of weights that are asked for at once: the longest burst
  localparam int MOVED_BITS = 512;  // of a wide word that one register moves
  localparam int TABLE_BLOCK = 16;  // tables with control registers of their own

  // bits that count to `count` - 1
  function automatic int index_bits(input int count);
    index_bits = count > 1 ? $clog2(count) : 1;
  endfunction

  // bits that hold 0 to `largest`
  function automatic int bits_for(input int largest);
    bits_for = index_bits(largest + 1);
  endfunction

  // the larger one
  function automatic int most(input int one, input int other);
    most = one > other ? one : other;
  endfunction

  // value * count by adders, since every DSP belongs to an engine
  function automatic logic [31:0] times(input logic [31:0] value, input int count);
    times = '0;
    for (int i = 0; i < 32; ++i) if (count[i]) times = times + (value << i);
  endfunction
endpackage
// verilator lint_on UNUSEDPARAM
