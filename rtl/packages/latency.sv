// How many cycles each pipeline takes, for those who wait for it; its module is built to match.
// verilator lint_off UNUSEDPARAM
package latency;
  localparam int MEMORY = 2;  // the memory, the register behind it
  localparam int RECORDS = MEMORY + 1;  // of layer norm and context: an address of the bank first
  localparam int NORM_SUMS = MEMORY + 1;  // of rows: an address first, too
  localparam int STATUS = MEMORY + 1;  // registers from 0x80 on
  localparam int DIAGONAL = MEMORY + 2;  // turned addresses, memory, turned words
  localparam int DIAGONAL_WRITE = 2;  // from a write to the first read that sees it
  localparam int REQUANTIZE = 6;  // operands, product, sum, coarse shift, fine shift, clamp

  function automatic int normalize(input int bits);  // halvings of the width
    normalize = $clog2(bits);
  endfunction

  localparam int OCTAVE_TABLE = 4;  // table, its output register, product, difference

  function automatic int octave(input int bits);
    octave = normalize(bits) + OCTAVE_TABLE;
  endfunction

  localparam int SCALE_PRODUCT = 2;  // operands, product
  localparam int SCALE_BY = SCALE_PRODUCT + 1;  // shift
  localparam int VARIANCE = 4;  // operands, products of their halves, products, difference

  // of VARIANCE_BITS
  function automatic int normalizer(input int bits);
    normalizer = VARIANCE + octave(bits);
  endfunction

  localparam int CENTRE = 3;  // operands, product, difference
  localparam int LAYER_NORM = CENTRE + SCALE_BY + REQUANTIZE;
  localparam int EXPONENT = 5;  // product, sum, shift, table, rounding

  // levels of adders that make one number of three
  function automatic int add_tree(input int count);
    add_tree = 0;
    for (int left = count; left > 1; left = (left + 2) / 3) add_tree = add_tree + 1;
  endfunction

  // two DSPs one below the other make one number of four, then levels of adders
  function automatic int packed_tree(input int count);
    packed_tree = 2 + add_tree((count + 3) / 4);
  endfunction

  // weights -> sums: registers of the weights and of what they select, then the tree; the slower
  // one where sums of some lanes begin on DSPs
  function automatic int sums(input bit table_engine, input int inputs, input int dsp_sums);
    sums = add_tree(table_engine ? inputs / 4 : inputs / 2);
    if (dsp_sums != 0) sums = packed_tree(inputs / 4);
    sums = 2 + sums;
  endfunction
  localparam int RING = 1 + MEMORY;  // address, memory
  localparam int GELU = 2;  // index, entry
  localparam int ROW_SUMS = 4;  // product, square, (a tree of lanes, not counted,) halves, total

  localparam int LONGEST_CHAIN = 16;  // each DSP's operands are a cycle later: registers

  // chains of DSPs that add up products of magnitude `most` without leaving their half of the sum:
  // the wide port holds two factors, the narrow one apart
  function automatic int chains(input int inputs, input int factor_bits, input int most);
    chains = (2 ** (vaqf_pkg::DSP_BITS - factor_bits - 1) - 1) / most;
    if (chains > LONGEST_CHAIN) chains = LONGEST_CHAIN;
    chains = (inputs + chains - 1) / chains;
  endfunction

  // operands, products, the sums of a chain one after the other, the tree of chains
  function automatic int products(input int inputs, input int factor_bits, input int most);
    products = chains(inputs, factor_bits, most);
    products = 2 + (inputs + products - 1) / products + add_tree(products);
  endfunction

  localparam int ACCUMULATE = 1;
  localparam int TURN = 3;  // keys wanted of banks, banks, turned keys
  localparam int RUN_ADDRESS = 2;  // word, addresses
  localparam int RUN = RUN_ADDRESS + DIAGONAL;  // of a head's channels, from its token on
  localparam int WEIGH = MEMORY + 1 + EXPONENT;  // scores, their differences, numerators
endpackage
// verilator lint_on UNUSEDPARAM
