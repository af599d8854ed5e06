/// Table engine: four activations have 16 subset sums; four weight bits are the address of one.
///
/// A pass is prepared by filling one table per four inputs and token, in Gray-code order, so that
/// each entry is the one before it plus or minus one activation. kShare tokens take turns at one
/// generator. Every output reads the same table through a read port of its own.
#pragma once

#include "vaqf/pragmas.hpp"
#include "vaqf/weights.hpp"

namespace vaqf {

constexpr int kPrepareSteps = kTableEntries * kShare;
static_assert(kTokens % kShare == 0, "token rows share generators evenly");

constexpr int kPreparedGroups = kNibbles;
constexpr int kPreparedEntries = kTableEntries;
typedef ap_uint<kActBits + 2> prepared_t;  ///< one subset sum

/// The tables stay memories, both banks of one in a RAM of 32 entries: a LUT holds as many.
#define VAQF_BIND_PREPARED(array) VAQF_BIND_TABLES(array)

/// One entry of every table; each group of kShare steps covers one entry of every token.
inline void prepare_step(const act_t slice[kSimd][kTokens],
                         prepared_t prepared[kPreparedGroups][2 * kPreparedEntries][kTokens],
                         int bank, slice_sum_t sum[kTokens], int step) {
#pragma HLS INLINE
  static prepared_t running[kNibbles][kTokens];
#pragma HLS ARRAY_PARTITION variable = running complete dim = 0
  const int turn = step / kTableEntries;
  const int count = step % kTableEntries;
  const int entry = count ^ (count >> 1);
  int bit = 0;  // that differs from the entry before
  if (count & 1) {
    bit = 0;
  } else if (count & 2) {
    bit = 1;
  } else if (count & 4) {
    bit = 2;
  } else {
    bit = 3;
  }
  const bool add = (entry >> bit) & 1;
  slice_sum_t total[kTokens / kShare];
#pragma HLS ARRAY_PARTITION variable = total complete
clear_total_loop:
  for (int r = 0; r < kTokens / kShare; ++r) {
#pragma HLS UNROLL
    total[r] = 0;
  }
prepare_group_loop:
  for (int g = 0; g < kNibbles; ++g) {
#pragma HLS UNROLL
  prepare_row_loop:
    for (int r = 0; r < kTokens / kShare; ++r) {
#pragma HLS UNROLL
      const int t = r * kShare + turn;
      const act_t a = slice[4 * g + bit][t];
      prepared_t value = 0;
      if (count != 0) {
        const prepared_t before = running[g][t];
        value = add ? prepared_t(before + a) : prepared_t(before - a);
      }
      running[g][t] = value;
      prepared[g][bank * kTableEntries + entry][t] = value;
      total[r] += value;
    }
  }
  // the entries of all four inputs, summed over the tables, are sum(a)
  if (entry == kTableEntries - 1) {
  sum_loop:
    for (int r = 0; r < kTokens / kShare; ++r) {
#pragma HLS UNROLL
      sum[r * kShare + turn] = total[r];
    }
  }
}

/// Adds to one output's sums what its weight bits select: one lookup per four inputs and token.
inline void add_subsets(const prepared_t prepared[kPreparedGroups][2 * kPreparedEntries][kTokens],
                        int bank, const ap_uint<4> nibble[kNibbles], slice_sum_t sum[kTokens]) {
#pragma HLS INLINE
lookup_group_loop:
  for (int g = 0; g < kNibbles; ++g) {
#pragma HLS UNROLL
    const int address = bank * kTableEntries + int(nibble[g]);
  lookup_row_loop:
    for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
      sum[t] += prepared[g][address][t];
    }
  }
}

}  // namespace vaqf
