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

/// Adds to one output's sums the activations whose weight bit is 1.
inline void add_subsets(const prepared_t prepared[kPreparedGroups][2 * kPreparedEntries][kTokens],
                        int bank, const ap_uint<4> nibble[kNibbles], slice_sum_t sum[kTokens]) {
#pragma HLS INLINE
mask_group_loop:
  for (int g = 0; g < kNibbles; ++g) {
#pragma HLS UNROLL
    const int bits = nibble[g];
  mask_input_loop:
    for (int i = 0; i < 4; ++i) {
#pragma HLS UNROLL
      const act_t mask = -((bits >> i) & 1);  // all ones where the weight bit is 1
    mask_row_loop:
      for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
        sum[t] += prepared[4 * g + i][bank][t] & mask;
      }
    }
  }
}

}  // namespace vaqf
