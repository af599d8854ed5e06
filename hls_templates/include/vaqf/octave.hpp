/// Reciprocal and reciprocal square root of positive integers by tables on [1, 2).
#pragma once

#include "vaqf/types.hpp"

namespace vaqf {

/// mantissa * 2**-(kNormValueBits + exponent).
struct Floating {
  ap_uint<kNormValueBits> mantissa;
  ap_uint<6> exponent;
};

/// Position of the highest one; 0 for 0.
template <int W>
ap_uint<6> leading_one(ap_uint<W> x) {
#pragma HLS INLINE
  ap_uint<6> position = 0;
leading_one_loop:
  for (int i = 0; i < W; ++i) {
#pragma HLS UNROLL
    if (x[i]) position = i;
  }
  return position;
}

/// value[i] - (slope[i] * offset >> kNormOffsetBits), where x / 2**exponent = 1 + (i, offset).
template <int W>
ap_uint<kNormValueBits> interpolate(ap_uint<W> x, ap_uint<6> exponent,
                                    const unsigned value[kNormEntries],
                                    const unsigned slope[kNormEntries]) {
#pragma HLS INLINE
  const int kBits = kNormIndexBits + kNormOffsetBits;
  ap_uint<kNormIndexBits + kNormOffsetBits> fraction;
  if (exponent >= kBits) {
    fraction = x >> (exponent - kBits);
  } else {
    fraction = x;  // a shift to the left keeps its operand's width, so widen first
    fraction <<= kBits - exponent;
  }
  const ap_uint<kNormIndexBits> index = fraction >> kNormOffsetBits;
  const ap_uint<kNormOffsetBits> offset = fraction;
  const ap_uint<kNormValueBits> base = value[index];
  const ap_uint<kNormValueBits> steep = slope[index];
  const ap_uint<kNormValueBits + kNormOffsetBits> drop = steep * offset;
  return base - (drop >> kNormOffsetBits);
}

/// 1 / x for x >= 1.
template <int W>
Floating reciprocal(ap_uint<W> x) {
#pragma HLS INLINE
  Floating result;
  result.exponent = leading_one<W>(x);
  result.mantissa = interpolate<W>(x, result.exponent, kReciprocalValue, kReciprocalSlope);
  return result;
}

/// 1 / sqrt(x) for x >= 1; the exponent is halved, its parity chooses the table.
template <int W>
Floating rsqrt(ap_uint<W> x) {
#pragma HLS INLINE
  const ap_uint<6> exponent = leading_one<W>(x);
  Floating result;
  result.exponent = exponent >> 1;
  if (exponent[0]) {
    result.mantissa = interpolate<W>(x, exponent, kRsqrtOddValue, kRsqrtOddSlope);
  } else {
    result.mantissa = interpolate<W>(x, exponent, kRsqrtEvenValue, kRsqrtEvenSlope);
  }
  return result;
}

/// x times the floating factor, with kNormFractionBits behind the point.
template <int W>
operand_t scale_by(ap_int<W> x, Floating factor) {
#pragma HLS INLINE
  const ap_int<W + kNormValueBits + 1> product = x * factor.mantissa;
  return product >> (kNormValueBits - kNormFractionBits + factor.exponent);
}

}  // namespace vaqf
