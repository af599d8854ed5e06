/// What a command may ask for, and how much memory it touches.
///
/// The kernel refuses a command whose addresses would leave one of its memories, or whose streams
/// would not match. It does not know the sizes of the images in DRAM: whoever starts it compares
/// those with weight_end, frame_words and result_words.
#pragma once

#include "vaqf/weights.hpp"

namespace vaqf {

/// What bit planes' sums have more than a multiplier's port; binary sums fit.
constexpr int kMaxPreShift = kAccBits > kOperandBits ? kAccBits - kOperandBits : 0;

/// Whether a matmul's inputs lie inside this design's memories.
inline bool fits_source(const Command& c) {
#pragma HLS INLINE
  const int dim_words = ceil_div(c.dim, kPe);
  const int inputs = int(c.k_words) * kPe;
  const int digits = c.digits;
  if (c.source == kSourcePixels) {
    return inputs <= kMaxPixels && digits == kPixelDigits && c.prefix_tokens < c.tokens &&
           c.pixel_bytes > 0 && c.pixel_bytes % (kPortBits / 8) == 0 &&
           int(c.pixel_bytes) <= kMaxPixelBytes;
  }
  if (c.source == kSourceNorm) return digits == 1 && int(c.k_words) == dim_words;
  if (c.source == kSourceNormPrefix) {
    const int words =
        c.prefix_tokens > 1 ? ceil_div(dim_words, kSliceWords) * kSliceWords : dim_words;
    return digits == 1 && c.tokens == 1 && int(c.prefix_tokens) <= kMaxHeadTokens &&
           int(c.k_words) == int(c.prefix_tokens) * words;
  }
  if (c.source == kSourceContext) return digits == 1 && inputs <= kMaxAttention;
  return c.source == kSourceHidden && digits == 1 && inputs <= kMaxHidden;
}

/// Whether a matmul's outputs do, too. A layer norm reads the residual stream and so goes anywhere
/// but there; everything else goes only there.
inline bool fits_dest(const Command& c) {
#pragma HLS INLINE
  const int outputs = int(c.n_words) * kPe;
  if (outputs > kMaxOutputs || int(c.outputs) > outputs) return false;
  if (int(c.outputs) + kPe <= outputs) return false;  // a last word without a channel
  if (is_norm(c) == (c.dest == kDestResidual)) return false;
  if (c.dest == kDestQkv) return c.n_words % 3 == 0 && outputs <= 3 * kMaxAttention;
  if (c.dest == kDestResidual) return int(c.n_words) == ceil_div(c.dim, kPe);
  if (c.dest == kDestHidden) return outputs <= kMaxHidden;
  return c.dest == kDestLogits && c.tokens == 1;
}

/// Whether a matmul's weights fit the ring and its sums the memory of partial sums.
inline bool fits_weights(const Command& c) {
#pragma HLS INLINE
  const int slices = ceil_div(c.k_words, kSimd / kPe);
  const bool one_pass = slices == 1 && c.planes == 1 && c.digits == 1;
  return (c.planes == 1 || c.planes == kFixedWeightBits) &&
         (one_pass || int(c.n_words) <= kPartialWords) &&
         int(c.weight_words) == slices * int(c.planes) * int(c.n_words) &&
         c.weight_words <= kRingWords &&
         (!kResident || c.ring_offset + c.weight_words <= kRingWords);
}

inline bool fits_matmul(const Command& c) {
#pragma HLS INLINE
  const bool sizes = c.tokens >= 1 && int(c.tokens) <= kMaxTokens && c.k_words >= 1 &&
                     c.n_words >= 1 && c.dim >= 1 && ceil_div(c.dim, kPe) <= kMaxDim / kPe &&
                     c.shift <= kMaxShift && c.norm_shift <= kMaxShift &&
                     int(c.pre_shift) <= (c.planes == 1 ? 0 : kMaxPreShift);
  return sizes && fits_source(c) && fits_dest(c) && fits_weights(c);
}

inline bool fits_attention(const Command& c) {
#pragma HLS INLINE
  return c.tokens >= 1 && int(c.tokens) <= kMaxTokens && c.heads >= 1 && c.head_words >= 1 &&
         c.head_words % kHeadWords == 0 && int(c.head_words) <= kMaxHeadWords &&
         int(c.n_words) == int(c.heads) * int(c.head_words) &&
         int(c.n_words) * kPe <= kMaxAttention && int(c.outputs) == int(c.n_words) * kPe &&
         c.shift <= kMaxShift;
}

inline bool fits(const Command& c) {
#pragma HLS INLINE
  const bool offset = c.frame_offset >= -2 && c.frame_offset <= 1;
  if (c.opcode == kOpMatmul) return offset && fits_matmul(c);
  return offset && c.opcode == kOpAttention && fits_attention(c);
}

/// Words of one packed image.
inline int frame_words(const Command& c) {
#pragma HLS INLINE
  const int bytes = int(c.tokens - c.prefix_tokens) * int(c.pixel_bytes);
  return ceil_div(bytes, kAlignBytes) * (kAlignBytes * 8 / kPortBits);
}

/// Words of one frame's logits.
inline int result_words(const Command& c) {
#pragma HLS INLINE
  return ceil_div(4 * int(c.outputs), kAlignBytes) * (kAlignBytes * 8 / kPortBits);
}

#ifndef __SYNTHESIS__
/// First byte behind everything a command that fits reads of the weight image.
inline unsigned long long weight_end(const Command& c) {
  typedef unsigned long long bytes_t;
  const bytes_t align = kAlignBytes, record = kPortBits / 8;
  const bytes_t records = bytes_t(c.n_words) * kPe * record;
  bytes_t end = bytes_t(c.requant_offset) * align + records;
  const auto extend = [&end](bytes_t first, bytes_t size) {
    if (first + size > end) end = first + size;
  };
  if (c.opcode == kOpMatmul) {
    extend(bytes_t(c.weight_offset) * align, bytes_t(c.weight_words) * (kRingWordBits / 8));
    if (is_norm(c))
      extend(bytes_t(c.norm_offset) * align, bytes_t(ceil_div(c.dim, kPe)) * kPe * record);
    if (c.dest == kDestHidden) extend(bytes_t(c.gelu_offset) * align, kGeluEntries);
    if (c.source == kSourcePixels)
      extend(bytes_t(c.constant_offset) * align, bytes_t(ceil_div(c.tokens, kTokens)) *
                                                     bytes_t(c.n_words) * kConstantTileWords *
                                                     (kWeightWordBits / 8));
  }
  return end;
}
#endif

}  // namespace vaqf
