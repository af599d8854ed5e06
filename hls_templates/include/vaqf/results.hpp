/// What becomes of the binary engine's accumulators: q, k, v, residual stream, hidden or logits.
#pragma once

#include "vaqf/rows.hpp"

namespace vaqf {

/// What one value may be, by destination.
struct Limits {
  ap_int<kLogitBits> low;
  ap_int<kLogitBits> high;
};

inline Limits limits_of(ap_uint<4> dest) {
#pragma HLS INLINE
  Limits limits;
  if (dest == kDestQkv) {
    limits.low = -kSignedMax;
    limits.high = kSignedMax;
  } else if (dest == kDestResidual) {
    limits.low = -kResidualMax - 1;
    limits.high = kResidualMax;
  } else if (dest == kDestHidden) {
    limits.low = -kGeluEntries / 2;
    limits.high = kGeluEntries / 2 - 1;
  } else {
    limits.low = -kLogitMax - 1;
    limits.high = kLogitMax;
  }
  return limits;
}

/// Memories of one frame that results go to.
/// q, k and v: banks.hpp; hidden and residual: row t of group g at word w in bank t, g * words + w.
inline void write_results(packed_command_t packed, bool first_frame, int index,
                          ap_uint<32> result_word, hls::stream<AccTile>& accs,
                          hls::stream<RecordWord>& records, hls::stream<act_t>& gelu,
                          hls::stream<ResidualTile>& skips, ActWord q[kBanks][kAttentionDepth],
                          ActWord k[kBanks][kAttentionDepth], ActWord v[kBanks][kAttentionDepth],
                          ActWord hidden[kTokens][kHiddenDepth],
                          ResidualWord residual[kTokens][kResidualDepth], RowSumsTile sums[kGroups],
                          port_word_t* results) {
  const Command c = decode(packed);
  act_t gelu_table[kGeluEntries];
  VAQF_BIND_TABLES(gelu_table)
  if (c.dest == kDestHidden) {
  gelu_loop:
    for (int i = 0; i < kGeluEntries; ++i) {
#pragma HLS PIPELINE II = 1
      gelu_table[i] = gelu.read();
    }
  }
  static ap_int<kLogitBits> logits[kMaxOutputs];
#pragma HLS ARRAY_PARTITION variable = logits cyclic factor = kPe
  const Limits limits = limits_of(c.dest);
  const int groups = ceil_div(c.tokens, kTokens);
  const int words = c.n_words;
  const int part_words = words / 3;  // of q, of k and of v
  const int stride = words_per_bank(part_words);
group_loop:
  for (int g = 0; g < groups; ++g) {
    RowSumsTile row_sums;
    int part = 0, part_word = 0;
  word_loop:
    for (int w = 0; w < words; ++w) {
#pragma HLS PIPELINE II = 1
      const AccTile acc = accs.read();
      const RecordWord record = records.read();
      ResidualTile skip, stream;
      if (c.dest == kDestResidual) skip = skips.read();
      ActTile tile;
    row_loop:
      for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
        const int token = g * kTokens + t;
        // summed over the word first: one addition is all that waits for the word before
        ap_int<kRowSumBits> word_sum = 0;
        ap_uint<kRowSquareBits> word_squares = 0;
      lane_loop:
        for (int p = 0; p < kPe; ++p) {
#pragma HLS UNROLL
          const int channel = w * kPe + p;
          const bool used = channel < int(c.outputs);
          const operand_t operand = acc.value[t][p] >> c.pre_shift;
          const ap_int<kLogitBits> value =
              requantize<kLogitBits>(operand, record.lane[p], c.shift, limits.low, limits.high);
          int seen = 0;
          if (c.dest == kDestQkv) {
            const signed_act_t narrow = value;
            tile.row[t].lane[p] = narrow;
            seen = narrow;
          } else if (c.dest == kDestHidden) {
            const act_t a = used ? gelu_table[int(value) + kGeluEntries / 2] : act_t(0);
            tile.row[t].lane[p] = a;
            seen = a;
          } else if (c.dest == kDestResidual) {
            const residual_t x = saturating_add(skip.row[t].lane[p], value);
            stream.row[t].lane[p] = x;
            word_sum += x;
            word_squares += x * x;
            seen = x;
          } else {
            seen = used ? int(value) : 0;
            if (t == 0) logits[channel] = seen;
          }
          if (used && token < int(c.tokens)) trace(first_frame, index, false, token, channel, seen);
        }
        const RowSums before = row_sums.row[t];
        row_sums.row[t].sum = word_sum + (w == 0 ? ap_int<kRowSumBits>(0) : before.sum);
        row_sums.row[t].squares =
            word_squares + (w == 0 ? ap_uint<kRowSquareBits>(0) : before.squares);
      }
      if (c.dest == kDestQkv) {
        if (part == 0) write_tile(q, g * kTokens, part_word, stride, tile);
        if (part == 1) write_tile(k, g * kTokens, part_word, stride, tile);
        if (part == 2) write_tile(v, g * kTokens, part_word, stride, tile);
        count_nested(part_word, part_words - 1, part);
      } else if (c.dest == kDestHidden) {
      hidden_loop:
        for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
          hidden[t][g * words + w] = tile.row[t];
        }
      } else if (c.dest == kDestResidual) {
      residual_loop:
        for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
          residual[t][g * words + w] = stream.row[t];
        }
        if (w == words - 1) sums[g] = row_sums;
      }
    }
  }
  if (c.dest == kDestLogits) {
    const int kPerWord = kPortBits / 32;
  logit_loop:
    for (int i = 0; i < ceil_div(c.outputs, kPerWord); ++i) {
#pragma HLS PIPELINE II = 1
      port_word_t word = 0;
    logit_part_loop:
      for (int j = 0; j < kPerWord; ++j) {
#pragma HLS UNROLL
        const ap_int<32> logit =
            i * kPerWord + j < int(c.outputs) ? logits[i * kPerWord + j] : ap_int<kLogitBits>(0);
        word.range(32 * j + 31, 32 * j) = static_cast<unsigned>(int(logit));
      }
      results[result_word + i] = word;
    }
  }
}

}  // namespace vaqf
