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
constexpr int kSliceSumBits = kActBits + bits_for(kSimd);
static_assert(kTokens % kShare == 0, "token rows share generators evenly");

typedef ap_uint<kActBits + 2> entry_t;

/// The inputs of one pass: kSimd activations of each token.
struct Slice {
  act_t value[kNibbles][4][kTokens];

  void put(int word, const ActTile& tile) {
#pragma HLS INLINE
  put_row_loop:
    for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
    put_lane_loop:
      for (int p = 0; p < kPe; ++p) {
#pragma HLS UNROLL
        const int k = word * kPe + p;
        value[k / 4][k % 4][t] = tile.row[t].lane[p];
      }
    }
  }
};

/// Subset-sum tables of one pass, and the sum of all its activations.
struct Prepared {
  entry_t table[kNibbles][kTableEntries][kTokens];
  entry_t running[kNibbles][kTokens];
  ap_uint<kSliceSumBits> sum[kTokens];
};

/// One entry of every table; each group of kShare steps covers one entry of every token.
inline void prepare_step(const Slice& slice, Prepared& prepared, int step) {
#pragma HLS INLINE
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
prepare_group_loop:
  for (int g = 0; g < kNibbles; ++g) {
#pragma HLS UNROLL
  prepare_row_loop:
    for (int r = 0; r < kTokens / kShare; ++r) {
#pragma HLS UNROLL
      const int t = r * kShare + turn;
      const act_t a = slice.value[g][bit][t];
      entry_t value = 0;
      if (count != 0) {
        const entry_t before = prepared.running[g][t];
        value = add ? entry_t(before + a) : entry_t(before - a);
      }
      prepared.running[g][t] = value;
      prepared.table[g][entry][t] = value;
      // the entry of all four inputs is the part of sum(a) that this table covers
      if (entry == kTableEntries - 1) {
        const ap_uint<kSliceSumBits> sum = g == 0 ? ap_uint<kSliceSumBits>(0) : prepared.sum[t];
        prepared.sum[t] = sum + value;
      }
    }
  }
}

/// Sums of the activations whose weight bit is 1: one lookup per four inputs, token and output.
inline AccTile subset_sums(const Prepared& prepared, const RingWord& weights) {
#pragma HLS INLINE
  AccTile result;
lookup_output_loop:
  for (int p = 0; p < kPe; ++p) {
#pragma HLS UNROLL
    ap_uint<kSliceSumBits> sum[kTokens];
  clear_loop:
    for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
      sum[t] = 0;
    }
  lookup_group_loop:
    for (int g = 0; g < kNibbles; ++g) {
#pragma HLS UNROLL
      const ap_uint<4> address = weights.nibble[p][g];
    lookup_row_loop:
      for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
        sum[t] += prepared.table[g][address][t];
      }
    }
  result_loop:
    for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
      result.value[t][p] = sum[t];
    }
  }
  return result;
}

}  // namespace vaqf
