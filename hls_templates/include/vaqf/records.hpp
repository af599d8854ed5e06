/// Streams that bring the engine, word by word, what the memory reader takes record by record.
#pragma once

#include "vaqf/pragmas.hpp"
#include "vaqf/weights.hpp"

namespace vaqf {

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

/// Of the pixels' command: position constants, class token and bias, which stand where another
/// command adds to the residual stream; by token group, then by word, as results come.
inline void join_constants(int tiles, hls::stream<weight_word_t>& constants,
                           hls::stream<ResidualTile>& skips) {
constant_tile_loop:
  for (int i = 0; i < tiles; ++i) {
#pragma HLS PIPELINE II = kConstantTileWords
    const int per_word = kWeightWordBits / kResidualBits;
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
}

}  // namespace vaqf
