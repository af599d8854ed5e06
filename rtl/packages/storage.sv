// Which RAM a memory lies on, by rules under which all tools take the same blocks; the estimate has
// the same functions (vaqf/resources/storage.py).
//
// Vivado rounds the depth of a block RAM up to a power of two and puts blocks side by side that are
// as deep as the memory, Yosys packs rows of any depth. At a power of two both do the same, so a
// memory is cut into such rows, ROWS at most: a LUT6 a bit chooses among them.
// verilator lint_off UNUSEDPARAM
package storage;
  localparam int ROWS = 3;
  localparam int BLOCK_LUTS = 84;  // that a block of 18 Kbit is worth
  localparam int SELECTED_BITS = 512;  // of a word, by one register
  localparam int BLOCK_WORDS = 512;  // of a block at its widest
  localparam int HALF_BITS = 16384;  // of a block of 18 Kbit, without parity
  localparam int WHOLE_BITS = 32768;  // of one of 36 Kbit
  localparam int COLUMN_WORDS = 4096;  // from here on several shallow blocks may beat deep ones

  // words of the smallest row of block RAM that holds so many
  function automatic int power(input int depth);
    power = 1 << $clog2(depth);
  endfunction

  // bits of a word in a block of `bits` that is so deep: every eighth brings a ninth, the parity
  function automatic int block_width(input int bits, input int depth);
    block_width = bits / (depth < BLOCK_WORDS ? BLOCK_WORDS : depth);
    block_width = block_width + block_width / 8;
  endfunction

  // bits of the columns of a row: deep ones are as wide as a block of 36 Kbit, so that no tool
  // builds them of shallow blocks
  function automatic int column(input int width, input int depth);
    if (depth < COLUMN_WORDS) column = width;
    else column = depth < WHOLE_BITS ? block_width(WHOLE_BITS, depth) : 1;
  endfunction

  // blocks of 18 Kbit of a row of a power of two
  function automatic int blocks(input int width, input int depth);
    int half, rest;
    half = block_width(HALF_BITS, depth);
    rest = width % column(width, depth);  // of the last column
    if (depth < COLUMN_WORDS) blocks = (width + half - 1) / half;
    else if (depth >= WHOLE_BITS) blocks = 2 * width * (depth / WHOLE_BITS);
    else blocks = 2 * (width / column(width, depth)) + (rest > half ? 2 : rest > 0 ? 1 : 0);
  endfunction

  // LUTs of a row of LUTRAM of any depth: a port has two bits of 32 words or one of 64
  function automatic int lutrams(input int width, input int depth);
    int ports, wide, deep;
    ports = vaqf_pkg::LUTRAM_PORTS;
    wide = (width + 2 * ports - 1) / (2 * ports) * ((depth + 31) / 32);
    deep = (width + ports - 1) / ports * ((depth + 63) / 64);
    lutrams = (ports + 1) * (wide < deep ? wide : deep);
  endfunction

  // and with the multiplexer between LUTRAMs
  function automatic int luts(input int width, input int depth);
    luts = lutrams(width, depth) + width * ((depth + 63) / 64 / 2);
  endfunction

  function automatic bit on_luts(input int width, input int depth);
    on_luts = luts(width, depth) <= BLOCK_LUTS * blocks(width, power(depth));
  endfunction

  // a row in LUTs
  function automatic int cost(input int width, input int depth);
    cost = BLOCK_LUTS * blocks(width, power(depth));
    if (on_luts(width, depth)) cost = luts(width, depth);
  endfunction

  // Words of the first row of a memory that may have `most`: all of them, or a power of two with
  // the rest behind it if that costs less. The first cut brings the multiplexer, the next is in its
  // LUTs.
  function automatic int row(input int width, input int depth, input int most);
    int first, left, cut, best;
    first = power(depth) / 2;
    left  = depth;
    cut   = most == ROWS ? width : 0;
    row   = on_luts(width, depth) ? depth : power(depth);
    best  = cost(width, depth);
    for (int i = 1; i < most; ++i) begin
      if (!on_luts(width, left)) begin
        cut  = cut + cost(width, power(left) / 2);
        left = left - power(left) / 2;
        if (cut + cost(width, left) < best) begin
          best = cut + cost(width, left);
          row  = first;
        end
      end
    end
  endfunction

  // words in front of the row of such a number, of all rows behind the last
  function automatic int start(input int width, input int depth, input int number);
    start = 0;
    for (int i = 0; i < number; ++i) begin
      if (start < depth) start = start + row(width, depth - start, ROWS - i);
    end
  endfunction
endpackage
// verilator lint_on UNUSEDPARAM
