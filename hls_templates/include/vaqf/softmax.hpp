/// exp2(-(delta * mult >> shift)) of a score below its row's maximum; not normalized here.
#pragma once

#include "vaqf/types.hpp"

namespace vaqf {

typedef ap_int<kScoreBits> score_t;
typedef ap_uint<kExpBits> exp_t;

/// The row's maximum (delta = 0) gives full scale.
inline exp_t exponent(ap_uint<kScoreBits> delta, ap_uint<kScoreMultBits> mult, ap_uint<6> shift) {
#pragma HLS INLINE
  const ap_uint<kScoreBits + kScoreMultBits> product = delta * mult;
  const ap_uint<kScoreBits + kScoreMultBits> step = product >> shift;
  const ap_uint<kScoreBits + kScoreMultBits> whole = step >> kExp2FractionBits;
  const ap_uint<kExp2FractionBits> fraction = step;
  const ap_uint<kExp2ValueBits + 1> value = kExp2[fraction];
  const ap_uint<kExp2ValueBits + 1 + kExpBits> full = value * kExpMax;
  exp_t result = 0;
  if (whole <= kExpBits) {
    const ap_uint<5> drop = kExp2ValueBits + whole;
    const ap_uint<kExp2ValueBits + 1 + kExpBits> half = 1;
    result = (full + (half << (drop - 1))) >> drop;
  }
  return result;
}

}  // namespace vaqf
