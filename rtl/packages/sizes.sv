// Widths that follow from counts, and products with constants that take no multiplier.
package sizes;
  // bits that count to `count` - 1
  function automatic int index_bits(input int count);
    index_bits = count > 1 ? $clog2(count) : 1;
  endfunction

  // bits that hold 0 to `most`
  function automatic int bits_for(input int most);
    bits_for = index_bits(most + 1);
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
