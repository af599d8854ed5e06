/// Adder engine: every activation is masked by its weight bit and added.
///
/// A pass needs no tables: it is prepared by summing its inputs, which then stand in registers
/// while it runs.
#pragma once

#include "vaqf/pragmas.hpp"
#include "vaqf/weights.hpp"

namespace vaqf {

constexpr int kPrepareSteps = 1;

/// There are no entries: names that the engine passes on.
constexpr int kEntryGroups = 1;
constexpr int kEntryRows = 1;
typedef act_t entry_t;

/// sum(a) of every token.
inline void prepare(const act_t slice[kSimd][kTokens], int, entry_t[kEntryGroups][kEntryRows],
                    slice_sum_t total[kTokens]) {
#pragma HLS INLINE off
#pragma HLS PIPELINE II = 1
total_loop:
  for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
    slice_sum_t sum = 0;
  total_input_loop:
    for (int k = 0; k < kSimd; ++k) {
#pragma HLS UNROLL
      sum += slice[k][t];
    }
    total[t] = sum;
  }
}

/// One output's sums of the activations whose weight bit is 1. A function of its own, so that a
/// tool schedules one output.
template <int Output>
void sum_subsets(const act_t inputs[kSimd][kTokens], const entry_t[kEntryGroups][kEntryRows], bool,
                 int, int, const ap_uint<4> nibble[kNibbles], slice_sum_t sum[kTokens]) {
#pragma HLS INLINE off
#pragma HLS PIPELINE II = 1
clear_loop:
  for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
    sum[t] = 0;
  }
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
        sum[t] += inputs[4 * g + i][t] & mask;
      }
    }
  }
}

}  // namespace vaqf
