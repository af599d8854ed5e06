/// Adder engine: every activation is masked by its weight bit and added. Nothing to prepare.
#pragma once

#include "vaqf/weights.hpp"

namespace vaqf {

constexpr int kPrepareSteps = 1;
constexpr int kSliceSumBits = kActBits + bits_for(kSimd);

/// The inputs of one pass: kSimd activations of each token.
struct Slice {
  act_t value[kSimd][kTokens];

  void put(int word, const ActTile& tile) {
#pragma HLS INLINE
  put_row_loop:
    for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
    put_lane_loop:
      for (int p = 0; p < kPe; ++p) {
#pragma HLS UNROLL
        value[word * kPe + p][t] = tile.row[t].lane[p];
      }
    }
  }
};

/// A slice that stands still while it is computed, and the sum of all its activations.
struct Prepared {
  act_t value[kSimd][kTokens];
  ap_uint<kSliceSumBits> sum[kTokens];
};

/// Copies the slice, so that its buffer can gather the pass after next.
inline void prepare_step(const Slice& slice, Prepared& prepared, int) {
#pragma HLS INLINE
  ap_uint<kSliceSumBits> sum[kTokens];
clear_loop:
  for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
    sum[t] = 0;
  }
copy_input_loop:
  for (int k = 0; k < kSimd; ++k) {
#pragma HLS UNROLL
  copy_row_loop:
    for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
      prepared.value[k][t] = slice.value[k][t];
      sum[t] += slice.value[k][t];
    }
  }
sum_loop:
  for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
    prepared.sum[t] = sum[t];
  }
}

/// Sums of the activations whose weight bit is 1.
inline AccTile subset_sums(const Prepared& prepared, const RingWord& weights) {
#pragma HLS INLINE
  AccTile result;
mask_output_loop:
  for (int p = 0; p < kPe; ++p) {
#pragma HLS UNROLL
    ap_uint<kSliceSumBits> sum[kTokens];
  start_loop:
    for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
      sum[t] = 0;
    }
  mask_input_loop:
    for (int k = 0; k < kSimd; ++k) {
#pragma HLS UNROLL
      const bool weight = (weights.nibble[p][k / 4] >> (k % 4)) & 1;
    mask_row_loop:
      for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
        sum[t] += weight ? prepared.value[k][t] : act_t(0);
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
