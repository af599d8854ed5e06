/// One matmul command: memory and activation readers, engine and results as a dataflow region.
#pragma once

#include "vaqf/engine.hpp"
#include "vaqf/pragmas.hpp"
#include "vaqf/results.hpp"

namespace vaqf {

/// Every channel has one writer and one reader, and each memory one process that reads it and one
/// that writes it. A command never reads a word of the residual stream after it wrote it: a layer
/// norm writes elsewhere, an add reads each tile before it writes it.
inline void matmul(packed_command_t c, int index, bool first_frame, ap_uint<32> image_word,
                   ap_uint<32> result_word, ap_uint<32> base, ap_uint<32> write,
                   ap_uint<32> missing, ap_uint<32> prefetch, const Segment segments[kMaxSegments],
                   const weight_word_t* weights, const port_word_t* images, port_word_t* results,
                   RingRow ring[kPe][kRingWords], ActWord q[kBanks][kAttentionDepth],
                   ActWord k[kBanks][kAttentionDepth], ActWord v[kBanks][kAttentionDepth],
                   ActWord hidden[kTokens][kHiddenDepth],
                   ResidualWord residual[kTokens][kResidualDepth], RowSumsTile sums[kGroups]) {
#pragma HLS DATAFLOW
  VAQF_UNSYNC(q)
  VAQF_UNSYNC(hidden)
  VAQF_UNSYNC(residual)
  VAQF_UNSYNC(sums)
  hls::stream<weight_word_t> fill("fill");
  hls::stream<weight_word_t> constants("constants");
  hls::stream<Record> norm_records("norm_records");
  hls::stream<Record> requant_records("requant_records");
  hls::stream<RecordWord> norm_words("norm_words");
  hls::stream<RecordWord> requant_words("requant_words");
  hls::stream<act_t> gelu("gelu");
  hls::stream<port_word_t> pixels("pixels");
  hls::stream<ActTile> normalized("normalized");
  hls::stream<ActTile> tiles("tiles");
  hls::stream<ResidualTile> skips("skips");
  hls::stream<AccTile> accs("accs");
#pragma HLS STREAM variable = fill depth = 64
#pragma HLS STREAM variable = constants depth = 64
#pragma HLS STREAM variable = norm_records depth = 16
#pragma HLS STREAM variable = requant_records depth = 16
#pragma HLS STREAM variable = norm_words depth = 4
#pragma HLS STREAM variable = requant_words depth = 4
#pragma HLS STREAM variable = gelu depth = 16
#pragma HLS STREAM variable = pixels depth = 64
#pragma HLS STREAM variable = normalized depth = 4
#pragma HLS STREAM variable = tiles depth = 4
#pragma HLS STREAM variable = skips depth = 4
#pragma HLS STREAM variable = accs depth = 4
  load_weights(c, missing, prefetch, segments, weights, fill, norm_records, requant_records, gelu,
               constants);
  load_pixels(c, images, image_word, pixels);
  repeat_norm_records(c, norm_records, norm_words);
  repeat_requant_records(c, requant_records, requant_words);
  read_residual(c, first_frame, index, residual, sums, norm_words, constants, normalized, skips);
  read_rows(c, q, hidden, pixels, normalized, tiles);
  binary_engine(c, base, write, missing, prefetch, ring, fill, tiles, accs);
  write_results(c, first_frame, index, result_word, accs, requant_words, gelu, skips, q, k, v,
                hidden, residual, sums, results);
}

}  // namespace vaqf
