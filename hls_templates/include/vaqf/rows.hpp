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
/// All of them are taken before the first is given, so that the memory reader never waits.
template <int MaxWords>
void repeat_records(int words, int rounds, hls::stream<Record>& records,
                    hls::stream<RecordWord>& out) {
  RecordWord kept[MaxWords];
  VAQF_BIND_BRAM(kept)
  VAQF_AGGREGATE(kept)
  Record pending[kPe];
#pragma HLS ARRAY_PARTITION variable = pending complete
  int taken = 0, lane = 0;
record_loop:
  for (int i = 0; i < words * kPe; ++i) {
#pragma HLS PIPELINE II = 1
  shift_record_loop:
    for (int p = 0; p + 1 < kPe; ++p) {
#pragma HLS UNROLL
      pending[p] = pending[p + 1];
    }
    pending[kPe - 1] = records.read();
    if (lane == kPe - 1) {
      RecordWord word;
    lane_loop:
      for (int p = 0; p < kPe; ++p) {
#pragma HLS UNROLL
        word.lane[p] = pending[p];
      }
      kept[taken] = word;
      ++taken;
      lane = 0;
    } else {
      ++lane;
    }
  }
  int w = 0;
repeat_loop:
  for (int i = 0; i < words * rounds; ++i) {
#pragma HLS PIPELINE II = 1
    out.write(kept[w]);
    w = w == words - 1 ? 0 : w + 1;
  }
}

/// Rounds of norm records a command needs: token groups, or tokens one by one for the head.
inline int norm_rounds(const Command& c) {
#pragma HLS INLINE
  if (c.source == kSourceNorm) return ceil_div(c.tokens, kTokens);
  if (c.source == kSourceNormPrefix) return c.prefix_tokens;
  return 0;
}

inline void repeat_norm_records(packed_command_t packed, hls::stream<Record>& records,
                                hls::stream<RecordWord>& out) {
  const Command c = decode(packed);
  const int rounds = norm_rounds(c);
  repeat_records<kMaxDim / kPe>(rounds > 0 ? ceil_div(c.dim, kPe) : 0, rounds, records, out);
}

inline void repeat_requant_records(packed_command_t packed, hls::stream<Record>& records,
                                   hls::stream<RecordWord>& out) {
  const Command c = decode(packed);
  repeat_records<kMaxOutputs / kPe>(c.n_words, ceil_div(c.tokens, kTokens), records, out);
}

constexpr int kNormSteps = kTokens / kNormTokens;  ///< cycles per memory word of a token group

/// The only reader of the residual stream: normalizes it, or hands it to the residual add.
inline void read_residual(packed_command_t packed, bool first_frame, int index,
                          const ResidualWord residual[kTokens][kResidualDepth],
                          const RowSumsTile sums[kGroups], hls::stream<RecordWord>& records,
                          hls::stream<weight_word_t>& constants, hls::stream<ActTile>& normalized,
                          hls::stream<ResidualTile>& skips) {
  const Command c = decode(packed);
  const int rounds = norm_rounds(c);
  const bool prefix = c.source == kSourceNormPrefix;
  const int dim_words = ceil_div(c.dim, kPe);
  const ap_uint<kBiasBits> eps = c.eps_low | (ap_uint<kBiasBits>(c.eps_high) << 32);
norm_round_loop:
  for (int r = 0; r < rounds; ++r) {
    // the head takes one token at a time, always in row 0
    const int group = prefix ? r / kTokens : r;
    Normalizer rows[kTokens];
#pragma HLS ARRAY_PARTITION variable = rows complete
  normalizer_loop:
    for (int t = 0; t < kTokens; ++t) {
#pragma HLS PIPELINE II = 1
      const int wanted = prefix ? r % kTokens : t;
      const RowSumsTile group_sums = sums[group];
      RowSums own = group_sums.row[0];
    own_sums_loop:
      for (int b = 1; b < kTokens; ++b) {
#pragma HLS UNROLL
        if (b == wanted) own = group_sums.row[b];
      }
      rows[t] = normalizer(own, c.dim, eps);
    }
    int w = 0, step = 0;
    RecordWord q;
    ActTile tile;
    // joined tokens start new K slices: the last one of each is filled up with 0
    const int words =
        prefix && c.prefix_tokens > 1 ? ceil_div(dim_words, kSliceWords) * kSliceWords : dim_words;
  norm_loop:
    for (int i = 0; i < words * kNormSteps; ++i) {
#pragma HLS PIPELINE II = 1
      const bool inside = w < dim_words;
      if (step == 0 && inside) q = records.read();
      // all banks at one address, so that no port is asked twice
      ResidualWord bank_word[kTokens];
#pragma HLS ARRAY_PARTITION variable = bank_word complete
    norm_bank_loop:
      for (int b = 0; b < kTokens; ++b) {
#pragma HLS UNROLL
        bank_word[b] = residual[b][group * dim_words + w];
      }
    norm_row_loop:
      for (int u = 0; u < kNormTokens; ++u) {
#pragma HLS UNROLL
        const int t = step * kNormTokens + u;
        const int bank = prefix ? r % kTokens : t;
        const int token = group * kTokens + bank;
        const bool used = inside && (prefix ? t == 0 : token < int(c.tokens));
      norm_channel_loop:
        for (int p = 0; p < kPe; ++p) {
#pragma HLS UNROLL
          act_t a = 0;
          if (used) {
            a = layer_norm(bank_word[bank].lane[p], rows[t], c.dim, q.lane[p], c.norm_shift);
            trace(first_frame, index, true, token, w * kPe + p, int(a));
          }
        norm_step_loop:
          for (int s = 0; s < kNormSteps; ++s) {
#pragma HLS UNROLL
            if (s == step) tile.row[s * kNormTokens + u].lane[p] = a;
          }
        }
      }
      if (step == kNormSteps - 1) {
        normalized.write(tile);
        step = 0;
        ++w;
      } else {
        ++step;
      }
    }
  }
  // both in the order of the results: by token group, then by word
  const int tiles = c.dest == kDestResidual ? ceil_div(c.tokens, kTokens) * int(c.n_words) : 0;
  if (c.source == kSourcePixels) {
    // position constants, class token and bias stand where the old stream would
  constant_tile_loop:
    for (int i = 0; i < tiles; ++i) {
#pragma HLS PIPELINE II = kConstantTileWords
      const int per_word = kWeightPorts * kPortBits / kResidualBits;
      ResidualTile tile;
    constant_word_loop:
      for (int j = 0; j < kConstantTileWords; ++j) {
#pragma HLS UNROLL
        const weight_word_t word = constants.read();
      constant_part_loop:
        for (int part = 0; part < per_word; ++part) {
#pragma HLS UNROLL
          const int lane = j * per_word + part;
          const int low = kResidualBits * part;
          if (lane < kTokens * kPe) {
            tile.row[lane / kPe].lane[lane % kPe] =
                static_cast<unsigned long long>(word.range(low + kResidualBits - 1, low));
          }
        }
      }
      skips.write(tile);
    }
  } else {
  skip_loop:
    for (int i = 0; i < tiles; ++i) {
#pragma HLS PIPELINE II = 1
      ResidualTile tile;
    skip_row_loop:
      for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
        tile.row[t] = residual[t][i];
      }
      skips.write(tile);
    }
  }
}

/// Patch rows of one frame: whole 128-bit words, one a cycle.
inline void load_pixels(packed_command_t packed, const port_word_t* images, ap_uint<32> first_word,
                        hls::stream<port_word_t>& pixels) {
  const Command c = decode(packed);
  const int words = c.source == kSourcePixels
                        ? int(c.tokens - c.prefix_tokens) * int(c.pixel_bytes) / (kPortBits / 8)
                        : 0;
load_pixel_loop:
  for (int i = 0; i < words; ++i) {
#pragma HLS PIPELINE II = 1
    pixels.write(images[first_word + i]);
  }
}

constexpr int kPortBytes = kPortBits / 8;
/// Banks of one byte: byte k of a row lies in bank k mod kPixelBanks. A power of two that holds a
/// word of the port and a word of the activations.
constexpr int kPixelBanks = kPe <= kPortBytes ? kPortBytes : 1 << bits_for(kPe - 1);
constexpr int kPixelDepth = ceil_div(kMaxPixelBytes, kPixelBanks) + 1;

/// One token group of the image, digit by digit; prefix tokens have no pixels.
inline void send_pixels(const Command& c, int group, hls::stream<port_word_t>& pixels,
                        hls::stream<ActTile>& tiles) {
#pragma HLS INLINE
  static ap_uint<8> rows[kTokens][kPixelBanks][kPixelDepth];
#pragma HLS ARRAY_PARTITION variable = rows complete dim = 1
#pragma HLS ARRAY_PARTITION variable = rows complete dim = 2
pixel_row_loop:
  for (int t = 0; t < kTokens; ++t) {
    const int token = group * kTokens + t;
    if (token >= int(c.prefix_tokens) && token < int(c.tokens)) {
    pixel_word_loop:
      for (int i = 0; i < int(c.pixel_bytes) / kPortBytes; ++i) {
#pragma HLS PIPELINE II = 1
        const port_word_t word = pixels.read();
      pixel_bank_loop:
        for (int b = 0; b < kPixelBanks; ++b) {
#pragma HLS UNROLL
          const int low = 8 * (b % kPortBytes);
          if (i % (kPixelBanks / kPortBytes) == b / kPortBytes) {
            rows[t][b][i / (kPixelBanks / kPortBytes)] =
                static_cast<unsigned long long>(word.range(low + 7, low));
          }
        }
      }
    }
  }
digit_loop:
  for (int d = 0; d < int(c.digits); ++d) {
  digit_word_loop:
    for (int w = 0; w < int(c.k_words); ++w) {
#pragma HLS PIPELINE II = 1
      const int first = w * kPe;
      ActTile tile;
    digit_row_loop:
      for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
        const int token = group * kTokens + t;
        const bool used = token >= int(c.prefix_tokens) && token < int(c.tokens);
        ap_uint<8> byte[kPixelBanks];
#pragma HLS ARRAY_PARTITION variable = byte complete
      digit_bank_loop:
        for (int b = 0; b < kPixelBanks; ++b) {
#pragma HLS UNROLL
          const int k = first + ((b - first) & (kPixelBanks - 1));
          byte[b] = rows[t][b][k / kPixelBanks];
        }
      digit_lane_loop:
        for (int p = 0; p < kPe; ++p) {
#pragma HLS UNROLL
          act_t a = 0;
          // bytes behind the last pixel of a row are other data only beyond pixel_bytes
          if (used && first + p < int(c.pixel_bytes)) {
            a = byte[(first + p) & (kPixelBanks - 1)] >> (d * kActBits);
          }
          tile.row[t].lane[p] = a;
        }
      }
      tiles.write(tile);
    }
  }
}

/// Every input row of one command, as the engine takes them.
inline void read_rows(packed_command_t packed, const ActWord context[kBanks][kAttentionDepth],
                      const ActWord hidden[kTokens][kHiddenDepth], hls::stream<port_word_t>& pixels,
                      hls::stream<ActTile>& normalized, hls::stream<ActTile>& tiles) {
  const Command c = decode(packed);
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
