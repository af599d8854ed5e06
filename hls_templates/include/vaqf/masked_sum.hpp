/// Adder engine: every activation is masked by its weight bit and added.
///
/// A pass is prepared by copying its slice, so that the slice's buffer can gather the pass after
/// next, and by summing it.
#pragma once

#include "vaqf/pragmas.hpp"
#include "vaqf/weights.hpp"

namespace vaqf {

constexpr int kPrepareSteps = 1;
constexpr int kPreparedGroups = kSimd;
constexpr int kPreparedEntries = 1;
typedef act_t prepared_t;  ///< one activation

/// Nothing is addressed: registers throughout.
#define VAQF_BIND_PREPARED(array) VAQF_PRAGMA(HLS ARRAY_PARTITION variable = array complete dim = 2)

inline void prepare_step(const act_t slice[kSimd][kTokens],
                         prepared_t prepared[kPreparedGroups][2 * kPreparedEntries][kTokens],
                         int bank, slice_sum_t sum[kTokens], int) {
#pragma HLS INLINE
  slice_sum_t total[kTokens];
#pragma HLS ARRAY_PARTITION variable = total complete
clear_total_loop:
  for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
    total[t] = 0;
  }
copy_input_loop:
  for (int k = 0; k < kSimd; ++k) {
#pragma HLS UNROLL
  copy_row_loop:
    for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
      prepared[k][bank][t] = slice[k][t];
      total[t] += slice[k][t];
    }
  }
sum_loop:
  for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
    sum[t] = total[t];
  }
}

/// Sums of the activations whose weight bit is 1.
inline AccTile subset_sums(
    const prepared_t prepared[kPreparedGroups][2 * kPreparedEntries][kTokens], int bank,
    const RingWord& weights) {
#pragma HLS INLINE
  AccTile result;
mask_output_loop:
  for (int p = 0; p < kPe; ++p) {
#pragma HLS UNROLL
    slice_sum_t sum[kTokens];
#pragma HLS ARRAY_PARTITION variable = sum complete
  clear_loop:
    for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
      sum[t] = 0;
    }
  mask_group_loop:
    for (int g = 0; g < kNibbles; ++g) {
#pragma HLS UNROLL
      const int nibble = weights.nibble[p][g];
    mask_input_loop:
      for (int i = 0; i < 4; ++i) {
#pragma HLS UNROLL
        const act_t mask = -((nibble >> i) & 1);  // all ones where the weight bit is 1
      mask_row_loop:
        for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
          sum[t] += prepared[4 * g + i][bank][t] & mask;
        }
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
