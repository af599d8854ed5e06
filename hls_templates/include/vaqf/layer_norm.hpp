/// Exact layer norm: (dim * x - sum) / sqrt(dim * squares - sum**2 + eps), then requantize.
#pragma once

#include "vaqf/octave.hpp"
#include "vaqf/requantize.hpp"

namespace vaqf {

/// What one token needs beside its values.
struct Normalizer {
  ap_int<kRowSumBits> sum;
  Floating factor;
};

inline Normalizer normalizer(RowSums sums, decltype(Command::dim) dim, ap_uint<kBiasBits> eps) {
#pragma HLS INLINE
  const ap_int<2 * kRowSumBits> square = sums.sum * sums.sum;
  const ap_uint<kVarianceBits> scaled = dim * sums.squares;
  const ap_uint<kVarianceBits> variance = scaled - square;
  Normalizer result;
  result.sum = sums.sum;
  result.factor = rsqrt<kVarianceBits>(variance + eps);
  return result;
}

inline act_t layer_norm(residual_t x, Normalizer row, decltype(Command::dim) dim, Record q,
                        ap_uint<6> shift) {
#pragma HLS INLINE
  const ap_int<kOperandBits> centred = dim * x - row.sum;
  const operand_t normal = scale_by<kOperandBits>(centred, row.factor);
  return requantize<kActBits + 1>(normal, q, shift, 0, kActMax);
}

}  // namespace vaqf
