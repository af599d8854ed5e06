/// Numbers and words that the processes exchange; every width follows from config.hpp.
#pragma once

#include <ap_int.h>
#include <hls_stream.h>

#include "config.hpp"

namespace vaqf {

typedef ap_uint<kActBits> act_t;        ///< activations of the binary engine
typedef ap_int<kActBits> signed_act_t;  ///< q, k and v
typedef ap_int<kAccBits> acc_t;         ///< accumulators of the binary engine
typedef ap_int<kResidualBits> residual_t;
typedef ap_int<kOperandBits> operand_t;  ///< one port of a multiplier
typedef ap_int<kMultBits> mult_t;        ///< its other port
typedef ap_int<kBiasBits> bias_t;
typedef ap_int<kBiasBits + 1> sum_t;                      ///< value * mult + bias
typedef ap_uint<kWeightPorts * kPortBits> weight_word_t;  ///< all weight ports side by side
typedef ap_uint<kPortBits> port_word_t;
/// A command as it lies in memory. One process of a region takes it whole, the others the numbers
/// they need: a tool carries a scalar to each process that names it through a queue of its own.
typedef ap_uint<32 * kCommandWords> packed_command_t;
typedef ap_uint<16> count_t;  ///< tokens, words or bytes, as commands count them

/// One activation memory word: kPe channels of one token. q, k and v are kept as raw bits.
struct ActWord {
  act_t lane[kPe];
};

struct ResidualWord {
  residual_t lane[kPe];
};

/// kTokens rows of one memory word: what the binary engine takes and gives per cycle.
struct ActTile {
  ActWord row[kTokens];
};

struct ResidualTile {
  ResidualWord row[kTokens];
};

struct AccTile {
  acc_t value[kTokens][kPe];
};

/// (value * mult + bias) >> shift of one channel.
struct Record {
  mult_t mult;
  bias_t bias;
};

struct RecordWord {
  Record lane[kPe];
};

/// Sums over the channels of one token of the residual stream, for its layer norm.
struct RowSums {
  ap_int<kRowSumBits> sum;
  ap_uint<kRowSquareBits> squares;
};

struct RowSumsTile {
  RowSums row[kTokens];
};

static_assert(kOperandBits + kMultBits <= kBiasBits, "a product fits the bias adder");
static_assert(kAccBits <= 64, "accumulators are native integers in C-sim");
static_assert((kWeightPorts & (kWeightPorts - 1)) == 0 && kWeightPorts * kPortBits <= 1024,
              "an AXI4 master of the tool is a power of two wide, at most 1024 bits");

/// The fields of a command.
inline Command decode(packed_command_t packed) {
#pragma HLS INLINE
  ap_uint<32> word[kCommandWords];
#pragma HLS ARRAY_PARTITION variable = word complete
split_loop:
  for (int i = 0; i < kCommandWords; ++i) {
#pragma HLS UNROLL
    word[i] = static_cast<unsigned>(packed.range(32 * i + 31, 32 * i));
  }
  return decode(word);
}

/// a / b, rounded up.
constexpr int ceil_div(int a, int b) { return (a + b - 1) / b; }

/// Two nested loops as one: counts `inner` up to `last`, then `outer`.
template <class Inner, class Outer>
void count_nested(Inner& inner, int last, Outer& outer) {
#pragma HLS INLINE
  if (int(inner) == last) {
    inner = 0;
    ++outer;
  } else {
    ++inner;
  }
}

constexpr int kSliceWords = kSimd / kPe;  ///< activation words of one K slice
static_assert(kSimd % kPe == 0, "a slice is whole activation words");

/// Bits that hold 0..n.
constexpr int bits_for(unsigned long long n) { return n < 2 ? 1 : 1 + bits_for(n / 2); }

}  // namespace vaqf
