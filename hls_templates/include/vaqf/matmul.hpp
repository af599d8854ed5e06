/// One matmul command: memory and activation readers, engine and results as a dataflow region.
#pragma once

#include "vaqf/engine.hpp"
#include "vaqf/results.hpp"

namespace vaqf {

/// Addresses of the frame a command works for.
struct Frame {
  bool first;               ///< frame 0, which C-sim traces
  ap_uint<32> image_word;   ///< of `images`
  ap_uint<32> result_word;  ///< of `results`
};

/// Every channel has one writer and one reader, and each memory one process that reads it and one
/// that writes it. A command never reads a word of the residual stream after it wrote it: a layer
/// norm writes elsewhere, an add reads each tile before it writes it.
inline void matmul(const Command& c, int index, const FillPlan& plan, const Frame& frame,
                   const weight_word_t* weights, const port_word_t* images, port_word_t* results,
                   RingWord ring[kRingWords], ActWord q[kBanks][kAttentionDepth],
                   ActWord k[kBanks][kAttentionDepth], ActWord v[kBanks][kAttentionDepth],
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
  load_weights(c, plan, weights, fill, norm_records, requant_records, gelu, constants);
  load_pixels(c, images, frame.image_word, pixels);
  repeat_records<kMaxDim / kPe>(norm_rounds(c) > 0 ? ceil_div(c.dim, kPe) : 0, norm_rounds(c),
                                norm_records, norm_words);
  repeat_records<kMaxOutputs / kPe>(c.n_words, ceil_div(c.tokens, kTokens), requant_records,
                                    requant_words);
  read_residual(c, frame.first, index, residual, sums, norm_words, constants, normalized, skips);
  read_rows(c, q, hidden, pixels, normalized, tiles);
  binary_engine(c, plan, ring, fill, tiles, accs);
  write_results(c, frame.first, index, frame.result_word, accs, requant_words, gelu, skips, q, k, v,
                hidden, residual, sums, results);
}

}  // namespace vaqf
