/// Where the binary engine's inputs come from: pixels, the normalized residual stream, context or
/// hidden activations, as tiles of kTokens rows in the order the engine takes them.
#pragma once

#include "vaqf/banks.hpp"
#include "vaqf/layer_norm.hpp"
#include "vaqf/pragmas.hpp"
#include "vaqf/trace.hpp"

namespace vaqf {

constexpr int kGroups = kMaxTokens / kTokens;
static_assert(kMaxTokens % kTokens == 0, "memories hold whole token groups");
constexpr int kResidualDepth = kGroups * (kMaxDim / kPe);
constexpr int kHiddenDepth = kGroups * (kMaxHidden / kPe);

/// Groups records by memory word: for each of `rounds` token groups all words, kPe records each.
/// The first round reads them from memory, the later ones repeat them.
template <int MaxWords>
void repeat_records(int words, int rounds, hls::stream<Record>& records,
                    hls::stream<RecordWord>& out) {
  RecordWord kept[MaxWords];
  VAQF_BIND_BRAM(kept)
  VAQF_AGGREGATE(kept)
first_round_loop:
  for (int w = 0; w < words; ++w) {
    RecordWord word;
  record_loop:
    for (int p = 0; p < kPe; ++p) {
#pragma HLS PIPELINE II = 1
      word.lane[p] = records.read();
    }
    kept[w] = word;
    out.write(word);
  }
round_loop:
  for (int r = 1; r < rounds; ++r) {
  word_loop:
    for (int w = 0; w < words; ++w) {
#pragma HLS PIPELINE II = 1
      out.write(kept[w]);
    }
  }
}

/// Rounds of norm records a command needs: token groups, or tokens one by one for the head.
inline int norm_rounds(const Command& c) {
#pragma HLS INLINE
  if (c.source == kSourceNorm) return ceil_div(c.tokens, kTokens);
  if (c.source == kSourceNormPrefix) return c.prefix_tokens;
  return 0;
}

/// The only reader of the residual stream: normalizes it, or hands it to the residual add.
inline void read_residual(const Command& c, bool first_frame, int index,
                          const ResidualWord residual[kTokens][kResidualDepth],
                          const RowSumsTile sums[kGroups], hls::stream<RecordWord>& records,
                          hls::stream<weight_word_t>& constants, hls::stream<ActTile>& normalized,
                          hls::stream<ResidualTile>& skips) {
  const int rounds = norm_rounds(c);
  const bool prefix = c.source == kSourceNormPrefix;
  const int dim_words = ceil_div(c.dim, kPe);
  const ap_uint<kBiasBits> eps = c.eps_low | (ap_uint<kBiasBits>(c.eps_high) << 32);
norm_round_loop:
  for (int r = 0; r < rounds; ++r) {
    // the head takes one token at a time, always in row 0
    const int group = prefix ? r / kTokens : r;
    const RowSumsTile group_sums = sums[group];
    Normalizer rows[kTokens];
#pragma HLS ARRAY_PARTITION variable = rows complete
  normalizer_loop:
    for (int t = 0; t < kTokens; ++t) {
#pragma HLS PIPELINE II = 1
      rows[t] = normalizer(group_sums.row[prefix ? r % kTokens : t], c.dim, eps);
    }
  norm_word_loop:
    for (int w = 0; w < dim_words; ++w) {
      const RecordWord q = records.read();
      ActTile tile;
    norm_row_loop:
      for (int s = 0; s < kTokens / kNormTokens; ++s) {
#pragma HLS PIPELINE II = 1
      norm_lane_loop:
        for (int u = 0; u < kNormTokens; ++u) {
#pragma HLS UNROLL
          const int t = s * kNormTokens + u;
          const int bank = prefix ? r % kTokens : t;
          const int token = group * kTokens + bank;
          const ResidualWord word = residual[bank][group * dim_words + w];
          const bool used = prefix ? t == 0 : token < int(c.tokens);
        norm_channel_loop:
          for (int p = 0; p < kPe; ++p) {
#pragma HLS UNROLL
            act_t a = 0;
            if (used) {
              a = layer_norm(word.lane[p], rows[t], c.dim, q.lane[p], c.norm_shift);
              trace(first_frame, index, true, token, w * kPe + p, int(a));
            }
            tile.row[t].lane[p] = a;
          }
        }
      }
      normalized.write(tile);
    }
  }
  if (c.dest == kDestResidual) {
    const int groups = ceil_div(c.tokens, kTokens);
  skip_group_loop:
    for (int g = 0; g < groups; ++g) {
    skip_word_loop:
      for (int w = 0; w < int(c.n_words); ++w) {
#pragma HLS PIPELINE II = kConstantTileWords
        ResidualTile tile;
        if (c.source == kSourcePixels) {
          // position constants, class token and bias stand where the old stream would
          weight_word_t word;
        constant_loop:
          for (int i = 0; i < kConstantTileWords * kWeightPorts * kPortBits / kResidualBits; ++i) {
#pragma HLS UNROLL
            const int per_word = kWeightPorts * kPortBits / kResidualBits;
            const int low = kResidualBits * (i % per_word);
            if (i % per_word == 0) word = constants.read();
            if (i < kTokens * kPe) {
              tile.row[i / kPe].lane[i % kPe] =
                  static_cast<unsigned long long>(word.range(low + kResidualBits - 1, low));
            }
          }
        } else {
        skip_row_loop:
          for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
            tile.row[t] = residual[t][g * int(c.n_words) + w];
          }
        }
        skips.write(tile);
      }
    }
  }
}

/// Patch rows of one frame: whole 128-bit words, one a cycle.
inline void load_pixels(const Command& c, const port_word_t* images, ap_uint<32> first_word,
                        hls::stream<port_word_t>& pixels) {
  const int words = c.source == kSourcePixels
                        ? int(c.tokens - c.prefix_tokens) * int(c.pixel_bytes) / (kPortBits / 8)
                        : 0;
load_pixel_loop:
  for (int i = 0; i < words; ++i) {
#pragma HLS PIPELINE II = 1
    pixels.write(images[first_word + i]);
  }
}

/// One token group of the image, digit by digit; prefix tokens have no pixels.
inline void send_pixels(const Command& c, int group, hls::stream<port_word_t>& pixels,
                        hls::stream<ActTile>& tiles) {
  const int kBytes = kPortBits / 8;
  static ap_uint<8> rows[kTokens][ceil_div(kMaxPixels, kPortBits / 8) * (kPortBits / 8)];
#pragma HLS ARRAY_PARTITION variable = rows complete dim = 1
pixel_row_loop:
  for (int t = 0; t < kTokens; ++t) {
    const int token = group * kTokens + t;
    if (token >= int(c.prefix_tokens) && token < int(c.tokens)) {
    pixel_word_loop:
      for (int i = 0; i < int(c.pixel_bytes) / kBytes; ++i) {
#pragma HLS PIPELINE II = 1
        const port_word_t word = pixels.read();
      pixel_byte_loop:
        for (int b = 0; b < kBytes; ++b) {
#pragma HLS UNROLL
          rows[t][i * kBytes + b] = static_cast<unsigned long long>(word.range(8 * b + 7, 8 * b));
        }
      }
    }
  }
digit_loop:
  for (int d = 0; d < int(c.digits); ++d) {
  digit_word_loop:
    for (int w = 0; w < int(c.k_words); ++w) {
#pragma HLS PIPELINE II = 1
      ActTile tile;
    digit_row_loop:
      for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
        const int token = group * kTokens + t;
        const bool used = token >= int(c.prefix_tokens) && token < int(c.tokens);
      digit_lane_loop:
        for (int p = 0; p < kPe; ++p) {
#pragma HLS UNROLL
          const int k = w * kPe + p;
          act_t a = 0;
          // bytes behind the last pixel of a row are other data only beyond pixel_bytes
          if (used && k < int(c.pixel_bytes)) a = rows[t][k] >> (d * kActBits);
          tile.row[t].lane[p] = a;
        }
      }
      tiles.write(tile);
    }
  }
}

/// Every input row of one command, as the engine takes them.
inline void read_rows(const Command& c, const ActWord context[kBanks][kAttentionDepth],
                      const ActWord hidden[kTokens][kHiddenDepth], hls::stream<port_word_t>& pixels,
                      hls::stream<ActTile>& normalized, hls::stream<ActTile>& tiles) {
  const int groups = ceil_div(c.tokens, kTokens);
  const int k_words = c.k_words;
  const int stride = words_per_bank(k_words);
group_loop:
  for (int g = 0; g < groups; ++g) {
    if (c.source == kSourcePixels) {
      send_pixels(c, g, pixels, tiles);
    } else {
    word_loop:
      for (int w = 0; w < k_words; ++w) {
#pragma HLS PIPELINE II = 1
        ActTile tile;
        if (c.source == kSourceContext) {
          read_tile(context, g * kTokens, w, stride, tile);
        } else if (c.source == kSourceHidden) {
        hidden_row_loop:
          for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
            tile.row[t] = hidden[t][g * k_words + w];
          }
        } else {
          tile = normalized.read();
        }
        tiles.write(tile);
      }
    }
  }
}

}  // namespace vaqf
