/// clamp((value * mult + bias) >> shift, low, high): accumulator -> integer of the next layer.
#pragma once

#include "vaqf/types.hpp"

namespace vaqf {

/// The bias holds the rounding half. `value` was pre-shifted to the multiplier's width.
template <int OutBits>
ap_int<OutBits> requantize(operand_t value, Record q, ap_uint<6> shift, ap_int<OutBits> low,
                           ap_int<OutBits> high) {
#pragma HLS INLINE
  static_assert(OutBits >= 2 && OutBits <= 32, "results have 2 to 32 bits");
  const ap_int<kOperandBits + kMultBits> product = value * q.mult;
  const sum_t sum = product + q.bias;
  const sum_t shifted = sum >> shift;
  ap_int<OutBits> result = low;
  if (shifted > high) {
    result = high;
  } else if (shifted > low) {
    result = shifted;
  }
  return result;
}

/// a + b, saturated to the residual stream's 16 bits.
inline residual_t saturating_add(residual_t a, residual_t b) {
#pragma HLS INLINE
  const ap_int<kResidualBits + 1> sum = a + b;
  ap_int<kResidualBits + 1> result = sum;
  if (sum > kResidualMax) result = kResidualMax;
  if (sum < -kResidualMax - 1) result = -kResidualMax - 1;
  return result;
}

}  // namespace vaqf
