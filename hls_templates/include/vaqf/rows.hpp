/// Where the binary engine's inputs come from: pixels, the normalized residual stream, context or
/// hidden activations, as tiles of kTokens rows in the order in which passes need them.
///
/// They come in rounds: all words of one token group (of one pixel digit of it), or of one token of
/// the head, each filled up to whole slices with 0.
#pragma once

#include "vaqf/banks.hpp"
#include "vaqf/layer_norm.hpp"
#include "vaqf/trace.hpp"
#include "vaqf/weights.hpp"

namespace vaqf {

constexpr int kGroups = kMaxTokens / kTokens;
static_assert(kMaxTokens % kTokens == 0, "memories hold whole token groups");
constexpr int kResidualDepth = kGroups * (kMaxDim / kPe);
constexpr int kHiddenDepth = kGroups * (kMaxHidden / kPe);
constexpr int kNormSteps = kTokens / kNormTokens;  ///< cycles per memory word of a token group

/// Rounds of norm records a command needs: token groups, or tokens one by one for the head.
inline int norm_rounds(const Command& c) {
#pragma HLS INLINE
  if (c.source == kSourceNorm) return token_groups(c);
  if (c.source == kSourceNormPrefix) return c.prefix_tokens;
  return 0;
}

/// What the rounds of one command have in common.
struct Rounds {
  int words;  ///< of a round: whole slices
  int used;   ///< of these, the words that hold inputs
  int steps;  ///< cycles a word takes
};

inline Rounds rounds_of(const Command& c) {
#pragma HLS INLINE
  Rounds rounds;
  rounds.used = is_norm(c) ? ceil_div(c.dim, kPe) : int(c.k_words);
  rounds.words = ceil_div(rounds.used, kSliceWords) * kSliceWords;
  rounds.steps = is_norm(c) ? kNormSteps : 1;
  return rounds;
}

/// Where the gathering of inputs stands.
struct Gather {
  int round;
  int word;  ///< of the round
  int step;  ///< of the word
};

/// The token group of the residual stream that a round of a layer norm reads.
inline int norm_group(const Command& c, int round) {
#pragma HLS INLINE
  return c.source == kSourceNormPrefix ? round / kTokens : round;
}

/// One word of a token group of the residual stream.
inline void read_stream(const ResidualWord residual[kTokens][kResidualDepth], int address,
                        ResidualWord stream[kTokens]) {
#pragma HLS INLINE
stream_row_loop:
  for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
    stream[t] = residual[t][address];
  }
}

/// What the tokens of one round need for their layer norm.
inline void start_round(const Command& c, int round, const RowSumsTile sums[kGroups],
                        Normalizer rows[kTokens]) {
#pragma HLS INLINE
  const ap_uint<kBiasBits> eps = c.eps_low | (ap_uint<kBiasBits>(c.eps_high) << 32);
  const RowSumsTile group_sums = sums[norm_group(c, round)];
normalizer_loop:
  for (int t = 0; t < kTokens; ++t) {
#pragma HLS PIPELINE II = 1
    // the head takes one token at a time, always in row 0
    const int wanted = c.source == kSourceNormPrefix ? round % kTokens : t;
    RowSums own = group_sums.row[0];
  own_sums_loop:
    for (int b = 1; b < kTokens; ++b) {
#pragma HLS UNROLL
      if (b == wanted) own = group_sums.row[b];
    }
    rows[t] = normalizer(own, c.dim, eps);
  }
}

/// Normalizes kNormTokens rows of one word; rows without a token are 0.
inline void normalize_step(const Command& c, const Gather& gather, bool inside,
                           const ResidualWord stream[kTokens], const Normalizer rows[kTokens],
                           const RecordWord& record, bool first_frame, int index, ActTile& tile) {
#pragma HLS INLINE
  const bool prefix = c.source == kSourceNormPrefix;
  const int group = norm_group(c, gather.round);
norm_row_loop:
  for (int u = 0; u < kNormTokens; ++u) {
#pragma HLS UNROLL
    const int t = gather.step * kNormTokens + u;
    const int bank = prefix ? gather.round % kTokens : t;
    const int token = group * kTokens + bank;
    const bool used = inside && (prefix ? t == 0 : token < int(c.tokens));
  norm_channel_loop:
    for (int p = 0; p < kPe; ++p) {
#pragma HLS UNROLL
      act_t a = 0;
      if (used) {
        a = layer_norm(stream[bank].lane[p], rows[t], c.dim, record.lane[p], c.norm_shift);
        trace(first_frame, index, true, token, gather.word * kPe + p, int(a));
      }
    norm_step_loop:
      for (int s = 0; s < kNormSteps; ++s) {
#pragma HLS UNROLL
        if (s == gather.step) tile.row[s * kNormTokens + u].lane[p] = a;
      }
    }
  }
}

/// One tile of the other sources.
inline void read_input(const Command& c, const Gather& gather,
                       const ActWord context[kBanks][kAttentionDepth],
                       const ActWord hidden[kTokens][kHiddenDepth], hls::stream<ActTile>& pixels,
                       ActTile& tile) {
#pragma HLS INLINE
  const int k_words = c.k_words;
  if (c.source == kSourcePixels) {
    tile = pixels.read();
  } else if (c.source == kSourceContext) {
    read_tile(context, gather.round * kTokens, gather.word, words_per_bank(k_words), tile);
  } else {
  hidden_row_loop:
    for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
      tile.row[t] = hidden[t][gather.round * k_words + gather.word];
    }
  }
}

/// Behind the last input of a round.
inline void clear(ActTile& tile) {
#pragma HLS INLINE
clear_row_loop:
  for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
  clear_lane_loop:
    for (int p = 0; p < kPe; ++p) {
#pragma HLS UNROLL
      tile.row[t].lane[p] = 0;
    }
  }
}

/// Puts a tile behind those that came: a slice is whole when kSliceWords did. Every wire is fixed.
inline void shift_in(act_t slice[kSimd][kTokens], const ActTile& tile) {
#pragma HLS INLINE
shift_row_loop:
  for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
  shift_input_loop:
    for (int k = 0; k + kPe < kSimd; ++k) {
#pragma HLS UNROLL
      slice[k][t] = slice[k + kPe][t];
    }
  shift_lane_loop:
    for (int p = 0; p < kPe; ++p) {
#pragma HLS UNROLL
      slice[kSimd - kPe + p][t] = tile.row[t].lane[p];
    }
  }
}

/// One cycle of gathering: part of a word by way of the layer norm, or a whole one. `inside`: the
/// word holds inputs. A layer norm's word of the residual stream comes in `stream`.
inline void gather_step(const Command& c, const Rounds& rounds, bool inside, Gather& gather,
                        const ResidualWord stream[kTokens], const Normalizer rows[kTokens],
                        const ActWord context[kBanks][kAttentionDepth],
                        const ActWord hidden[kTokens][kHiddenDepth],
                        hls::stream<RecordWord>& norm_words, hls::stream<ActTile>& pixels,
                        bool first_frame, int index, RecordWord& record, ActTile& tile,
                        act_t slice[kSimd][kTokens]) {
#pragma HLS INLINE
  if (is_norm(c)) {
    if (inside && gather.step == 0) record = norm_words.read();
    normalize_step(c, gather, inside, stream, rows, record, first_frame, index, tile);
  } else if (inside) {
    read_input(c, gather, context, hidden, pixels, tile);
  } else {
    clear(tile);
  }
  if (gather.step == rounds.steps - 1) {
    shift_in(slice, tile);
    count_nested(gather.word, rounds.words - 1, gather.round);
    gather.step = 0;
  } else {
    ++gather.step;
  }
}

}  // namespace vaqf
