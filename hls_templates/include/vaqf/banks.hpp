/// Activation memories that take a tile of kTokens rows and give a run of words of one row.
///
/// Word w of token t lies in bank (t + w) mod kBanks, a power of two that is at least kTokens and
/// at least kHeadWords: the rows of a tile differ in t, the words of a run in w, so neither hits
/// a bank twice.
#pragma once

#include "vaqf/types.hpp"

namespace vaqf {

static_assert((kBanks & (kBanks - 1)) == 0, "bank numbers are low address bits");
static_assert(kTokens <= kBanks && kHeadWords <= kBanks, "a tile or a run hits a bank once");

/// Words of one token in one bank.
constexpr int words_per_bank(int words) { return ceil_div(words, kBanks); }

constexpr int kAttentionDepth = kMaxTokens * words_per_bank(kMaxAttention / kPe);

/// Rows token..token + kTokens - 1, word w of each; `stride` is words_per_bank of a row.
inline void read_tile(const ActWord memory[kBanks][kAttentionDepth], int token, int w, int stride,
                      ActTile& tile) {
#pragma HLS INLINE
  ActWord data[kBanks];
#pragma HLS ARRAY_PARTITION variable = data complete
read_bank_loop:
  for (int b = 0; b < kBanks; ++b) {
#pragma HLS UNROLL
    const int t = (b - token - w) & (kBanks - 1);
    if (t < kTokens) data[b] = memory[b][(token + t) * stride + w / kBanks];
  }
read_row_loop:
  for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
    tile.row[t] = data[(token + t + w) & (kBanks - 1)];
  }
}

/// The counterpart of read_tile.
inline void write_tile(ActWord memory[kBanks][kAttentionDepth], int token, int w, int stride,
                       const ActTile& tile) {
#pragma HLS INLINE
write_bank_loop:
  for (int b = 0; b < kBanks; ++b) {
#pragma HLS UNROLL
    const int t = (b - token - w) & (kBanks - 1);
    if (t < kTokens) memory[b][(token + t) * stride + w / kBanks] = tile.row[t];
  }
}

/// kHeadWords words of one token, from word w on.
struct HeadWords {
  ActWord word[kHeadWords];
};

inline HeadWords read_run(const ActWord memory[kBanks][kAttentionDepth], int token, int w,
                          int stride) {
#pragma HLS INLINE
  ActWord data[kBanks];
#pragma HLS ARRAY_PARTITION variable = data complete
run_bank_loop:
  for (int b = 0; b < kBanks; ++b) {
#pragma HLS UNROLL
    const int i = (b - token - w) & (kBanks - 1);
    if (i < kHeadWords) data[b] = memory[b][token * stride + (w + i) / kBanks];
  }
  HeadWords run;
run_word_loop:
  for (int i = 0; i < kHeadWords; ++i) {
#pragma HLS UNROLL
    run.word[i] = data[(token + w + i) & (kBanks - 1)];
  }
  return run;
}

inline void write_run(ActWord memory[kBanks][kAttentionDepth], int token, int w, int stride,
                      const HeadWords& run) {
#pragma HLS INLINE
write_run_loop:
  for (int b = 0; b < kBanks; ++b) {
#pragma HLS UNROLL
    const int i = (b - token - w) & (kBanks - 1);
    if (i < kHeadWords) memory[b][token * stride + (w + i) / kBanks] = run.word[i];
  }
}

}  // namespace vaqf
