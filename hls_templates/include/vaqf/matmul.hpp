/// One matmul command as a dataflow region: readers of the DRAM, the engine, the logits' writer.
#pragma once

#include "vaqf/engine.hpp"
#include "vaqf/pixels.hpp"
#include "vaqf/pragmas.hpp"
#include "vaqf/records.hpp"

namespace vaqf {

/// The numbers of words that the smaller processes of one command pass on; 0 where it needs none.
struct MatMulSizes {
  count_t norm_words;    ///< of norm records
  count_t norm_rounds;   ///< times that they are given
  count_t output_words;  ///< of requant records
  count_t groups;        ///< times that these are given
  int pixel_words;       ///< port words of the image
  count_t pixel_groups;
  int constant_tiles;
  count_t logits;
};

inline MatMulSizes sizes_of(const Command& c) {
#pragma HLS INLINE
  const bool pixels = c.source == kSourcePixels;
  MatMulSizes sizes;
  sizes.norm_rounds = norm_rounds(c);
  sizes.norm_words = is_norm(c) ? ceil_div(c.dim, kPe) : 0;
  sizes.output_words = c.n_words;
  sizes.groups = token_groups(c);
  sizes.pixel_words =
      pixels ? int(c.tokens - c.prefix_tokens) * int(c.pixel_bytes) / kPortBytes : 0;
  sizes.pixel_groups = pixels ? token_groups(c) : 0;
  sizes.constant_tiles = pixels ? token_groups(c) * int(c.n_words) : 0;
  sizes.logits = c.dest == kDestLogits ? int(c.outputs) : 0;
  return sizes;
}

/// Every channel has one writer and one reader, every memory one process that knows it: the engine
/// reads and writes those of the frames, and no channel leads back. Scalars are what their readers
/// need, for a tool gives each reader a queue of its own.
inline void matmul(packed_command_t packed, int index, bool first_frame, count_t norm_word_count,
                   count_t norm_rounds, count_t output_words, count_t groups, int pixel_words,
                   count_t pixel_groups, count_t tokens, count_t prefix_tokens, count_t pixel_bytes,
                   count_t k_words, int constant_tiles, count_t logit_count, ap_uint<32> image_word,
                   ap_uint<32> result_word, ap_uint<32> base, ap_uint<32> write,
                   ap_uint<32> missing, ap_uint<32> prefetch, const Segment segments[kMaxSegments],
                   const weight_word_t* weights, const port_word_t* images, port_word_t* results,
                   RingRow ring[kPe][kRingWords], ActWord q[kBanks][kAttentionDepth],
                   ActWord k[kBanks][kAttentionDepth], ActWord v[kBanks][kAttentionDepth],
                   const ActWord context[kBanks][kAttentionDepth],
                   ActWord hidden[kTokens][kHiddenDepth],
                   ResidualWord residual[kTokens][kResidualDepth], RowSumsTile sums[kGroups]) {
#pragma HLS DATAFLOW
  hls::stream<weight_word_t> fill("fill");
  hls::stream<weight_word_t> constants("constants");
  hls::stream<Record> norm_records("norm_records");
  hls::stream<Record> requant_records("requant_records");
  hls::stream<RecordWord> norm_words("norm_words");
  hls::stream<RecordWord> requant_words("requant_words");
  hls::stream<act_t> gelu("gelu");
  hls::stream<port_word_t> pixels("pixels");
  hls::stream<ActTile> pixel_tiles("pixel_tiles");
  hls::stream<ResidualTile> constant_words("constant_words");
  hls::stream<LogitWord> logits("logits");
#pragma HLS STREAM variable = fill depth = 64
#pragma HLS STREAM variable = constants depth = 64
#pragma HLS STREAM variable = norm_records depth = 16
#pragma HLS STREAM variable = requant_records depth = 16
#pragma HLS STREAM variable = norm_words depth = 4
#pragma HLS STREAM variable = requant_words depth = 4
#pragma HLS STREAM variable = gelu depth = 16
#pragma HLS STREAM variable = pixels depth = 64
#pragma HLS STREAM variable = pixel_tiles depth = 4
#pragma HLS STREAM variable = constant_words depth = 4
#pragma HLS STREAM variable = logits depth = 4
  load_weights(packed, missing, prefetch, segments, weights, fill, norm_records, requant_records,
               gelu, constants);
  load_pixels(pixel_words, images, image_word, pixels);
  repeat_records<kMaxDim / kPe>(norm_word_count, norm_rounds, norm_records, norm_words);
  repeat_records<kMaxOutputs / kPe>(output_words, groups, requant_records, requant_words);
  read_pixels(pixel_groups, tokens, prefix_tokens, pixel_bytes, k_words, pixels, pixel_tiles);
  join_constants(constant_tiles, constants, constant_words);
  binary_engine(packed, index, first_frame, base, write, missing, prefetch, fill, gelu, norm_words,
                requant_words, pixel_tiles, constant_words, logits, ring, q, k, v, context, hidden,
                residual, sums);
  write_logits(logit_count, result_word, logits, results);
}

}  // namespace vaqf
