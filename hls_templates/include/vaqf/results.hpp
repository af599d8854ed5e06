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

/// The gelu table of one command.
inline void store_gelu(hls::stream<act_t>& gelu, act_t gelu_table[kGeluEntries]) {
#pragma HLS INLINE
gelu_loop:
  for (int i = 0; i < kGeluEntries; ++i) {
#pragma HLS PIPELINE II = 1
    gelu_table[i] = gelu.read();
  }
}

struct LogitWord {
  ap_int<kLogitBits> lane[kPe];
};

/// One result word of a token group; a command fills what its destination takes.
struct Results {
  ActTile acts;
  ResidualTile stream;
  LogitWord logits;
};

/// Word w of token group g; `sums` are the rows' sums so far, for the layer norm.
inline Results finish(const Command& c, int g, int w, const AccTile& acc, const RecordWord& record,
                      const ResidualWord skip[kTokens], const act_t gelu_table[kGeluEntries],
                      bool first_frame, int index, RowSumsTile& sums) {
#pragma HLS INLINE
  const Limits limits = limits_of(c.dest);
  Results out;
result_row_loop:
  for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
    const int token = g * kTokens + t;
    // summed over the word first: one addition is all that waits for the word before
    ap_int<kRowSumBits> word_sum = 0;
    ap_uint<kRowSquareBits> word_squares = 0;
  result_lane_loop:
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
        out.acts.row[t].lane[p] = narrow;
        seen = narrow;
      } else if (c.dest == kDestHidden) {
        const act_t a = used ? gelu_table[int(value) + kGeluEntries / 2] : act_t(0);
        out.acts.row[t].lane[p] = a;
        seen = a;
      } else if (c.dest == kDestResidual) {
        const residual_t x = saturating_add(skip[t].lane[p], value);
        out.stream.row[t].lane[p] = x;
        word_sum += x;
        word_squares += x * x;
        seen = x;
      } else {
        seen = used ? int(value) : 0;
        if (t == 0) out.logits.lane[p] = seen;
      }
      if (used && token < int(c.tokens)) trace(first_frame, index, false, token, channel, seen);
    }
    const RowSums before = sums.row[t];
    sums.row[t].sum = word_sum + (w == 0 ? ap_int<kRowSumBits>(0) : before.sum);
    sums.row[t].squares = word_squares + (w == 0 ? ap_uint<kRowSquareBits>(0) : before.squares);
  }
  return out;
}

/// Where a word of q, k or v goes.
struct QkvPlace {
  int part;  ///< q, k or v
  int word;
};

/// q, k and v: banks.hpp.
inline void store_qkv(const Command& c, int g, QkvPlace& place, const ActTile& acts,
                      ActWord q[kBanks][kAttentionDepth], ActWord k[kBanks][kAttentionDepth],
                      ActWord v[kBanks][kAttentionDepth]) {
#pragma HLS INLINE
  const int part_words = int(c.n_words) / 3;  // of q, of k and of v
  const int stride = words_per_bank(part_words);
  if (place.part == 0) write_tile(q, g * kTokens, place.word, stride, acts);
  if (place.part == 1) write_tile(k, g * kTokens, place.word, stride, acts);
  if (place.part == 2) write_tile(v, g * kTokens, place.word, stride, acts);
  count_nested(place.word, part_words - 1, place.part);
}

/// Row t of a tile into bank t, all at one address.
template <class Word, class Tile, int Depth>
void store_rows(Word memory[kTokens][Depth], int address, const Tile& tile) {
#pragma HLS INLINE
store_row_loop:
  for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
    memory[t][address] = tile.row[t];
  }
}

/// Hidden activations and residual stream: word w of group g lies at g * words + w.
inline void store(const Command& c, int g, int w, QkvPlace& place, const Results& out,
                  const RowSumsTile& row_sums, ActWord q[kBanks][kAttentionDepth],
                  ActWord k[kBanks][kAttentionDepth], ActWord v[kBanks][kAttentionDepth],
                  ActWord hidden[kTokens][kHiddenDepth],
                  ResidualWord residual[kTokens][kResidualDepth], RowSumsTile sums[kGroups],
                  hls::stream<LogitWord>& logits) {
#pragma HLS INLINE
  const int words = c.n_words;
  if (w == 0) place.part = place.word = 0;
  if (c.dest == kDestQkv) {
    store_qkv(c, g, place, out.acts, q, k, v);
  } else if (c.dest == kDestHidden) {
    store_rows(hidden, g * words + w, out.acts);
  } else if (c.dest == kDestResidual) {
    store_rows(residual, g * words + w, out.stream);
    if (w == words - 1) sums[g] = row_sums;
  } else {
    logits.write(out.logits);
  }
}

/// `count` logits of one frame, to memory.
inline void write_logits(count_t count, ap_uint<32> result_word, hls::stream<LogitWord>& logits,
                         port_word_t* results) {
  ap_int<kLogitBits> kept[kMaxOutputs];
#pragma HLS ARRAY_PARTITION variable = kept cyclic factor = kPe
take_logit_loop:
  for (int w = 0; w < ceil_div(count, kPe); ++w) {
#pragma HLS PIPELINE II = 1
    const LogitWord word = logits.read();
  take_lane_loop:
    for (int p = 0; p < kPe; ++p) {
#pragma HLS UNROLL
      kept[w * kPe + p] = word.lane[p];
    }
  }
  const int kPerWord = kPortBits / 32;
  port_word_t* to = results + static_cast<unsigned>(result_word);
logit_loop:
  for (int i = 0; i < ceil_div(count, kPerWord); ++i) {
#pragma HLS PIPELINE II = 1
    port_word_t word = 0;
  logit_part_loop:
    for (int j = 0; j < kPerWord; ++j) {
#pragma HLS UNROLL
      const ap_int<32> logit =
          i * kPerWord + j < int(count) ? kept[i * kPerWord + j] : ap_int<kLogitBits>(0);
      word.range(32 * j + 31, 32 * j) = static_cast<unsigned>(int(logit));
    }
    to[i] = word;
  }
}

}  // namespace vaqf
