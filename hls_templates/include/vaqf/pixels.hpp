/// An image's way to the engine: bursts of patch rows, then tiles of kTokens rows, digit by digit.
#pragma once

#include "vaqf/types.hpp"

namespace vaqf {

constexpr int kPortBytes = kPortBits / 8;

/// Patch rows of one frame: whole 128-bit words, one a cycle.
inline void load_pixels(int words, const port_word_t* images, ap_uint<32> first_word,
                        hls::stream<port_word_t>& pixels) {
  const port_word_t* from = images + static_cast<unsigned>(first_word);
load_pixel_loop:
  for (int i = 0; i < words; ++i) {
#pragma HLS PIPELINE II = 1
    pixels.write(from[i]);
  }
}

/// Banks of one byte: byte k of a row lies in bank k mod kPixelBanks. A power of two that holds a
/// word of the port and a word of the activations.
constexpr int kPixelBanks = kPe <= kPortBytes ? kPortBytes : 1 << bits_for(kPe - 1);
constexpr int kPixelDepth = ceil_div(kMaxPixelBytes, kPixelBanks) + 1;

/// Every token group of the image; prefix tokens have no pixels. A row has `row_bytes` bytes in
/// memory and goes out as `k_words` words for each digit.
inline void read_pixels(int groups, count_t tokens, count_t prefix_tokens, count_t row_bytes,
                        count_t k_words, hls::stream<port_word_t>& pixels,
                        hls::stream<ActTile>& tiles) {
  static ap_uint<8> rows[kTokens][kPixelBanks][kPixelDepth];
#pragma HLS ARRAY_PARTITION variable = rows complete dim = 1
#pragma HLS ARRAY_PARTITION variable = rows complete dim = 2
group_loop:
  for (int group = 0; group < groups; ++group) {
  pixel_row_loop:
    for (int t = 0; t < kTokens; ++t) {
      const int token = group * kTokens + t;
      if (token >= int(prefix_tokens) && token < int(tokens)) {
      pixel_word_loop:
        for (int i = 0; i < int(row_bytes) / kPortBytes; ++i) {
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
    for (int d = 0; d < kPixelDigits; ++d) {
    digit_word_loop:
      for (int w = 0; w < int(k_words); ++w) {
#pragma HLS PIPELINE II = 1
        const int first = w * kPe;
        ActTile tile;
      digit_row_loop:
        for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
          const int token = group * kTokens + t;
          const bool used = token >= int(prefix_tokens) && token < int(tokens);
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
            // bytes behind the last pixel of a row are other data only beyond row_bytes
            if (used && first + p < int(row_bytes)) {
              a = byte[(first + p) & (kPixelBanks - 1)] >> (d * kActBits);
            }
            tile.row[t].lane[p] = a;
          }
        }
        tiles.write(tile);
      }
    }
  }
}

}  // namespace vaqf
