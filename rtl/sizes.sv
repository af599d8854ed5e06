// Widths that follow from counts.
package sizes;
  // bits that count to `count` - 1
  function automatic int index_bits(input int count);
    index_bits = count > 1 ? $clog2(count) : 1;
  endfunction

  // bits that hold 0 to `most`
  function automatic int bits_for(input int most);
    bits_for = index_bits(most + 1);
  endfunction
endpackage
