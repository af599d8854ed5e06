/// The weight ring and what fills it: one stream of memory reads, ahead across commands.
///
/// The ring holds the weights of the running command and, behind them, those of the commands that
/// follow. The sequencer plans each fill (sequence.hpp); the engine writes the words it receives
/// into the ring while it computes.
#pragma once

#include "vaqf/types.hpp"

namespace vaqf {

constexpr int kRingWordBits = kPe * kSimd;
constexpr int kWeightWordBits = kWeightPorts * kPortBits;
constexpr int kWordsPerRingWord = kRingWordBits / kWeightWordBits;
static_assert(kRingWordBits % kWeightWordBits == 0, "a ring word is whole reads of all ports");
constexpr int kWordsPerAlign = kAlignBytes * 8 / kWeightWordBits;  ///< per unit of an offset
constexpr int kMaxSegments = 16;
constexpr int kNibbles = kSimd / 4;

/// One cycle's weights, four inputs of one output in each nibble; bit 0 is the first input.
struct RingWord {
  ap_uint<4> nibble[kPe][kNibbles];
};

/// Consecutive ring words of one command, in memory.
struct Segment {
  ap_uint<32> address;  ///< in weight words
  ap_uint<32> words;    ///< in ring words
};

/// What one command reads from the weight image.
struct FillPlan {
  ap_uint<32> base;      ///< ring word of the command's first weights
  ap_uint<32> write;     ///< ring word that is filled next
  ap_uint<32> missing;   ///< ring words to wait for before the command starts
  ap_uint<32> prefetch;  ///< ring words to take in while it runs
  ap_uint<5> segments;
  Segment segment[kMaxSegments];
};

/// `count` records, one a cycle.
inline void load_records(const weight_word_t* weights, ap_uint<32> offset, int count,
                         hls::stream<Record>& records) {
  const int kRecordsPerWord = kWeightWordBits / kPortBits;
  weight_word_t word;
load_record_loop:
  for (int i = 0; i < count; ++i) {
#pragma HLS PIPELINE II = 1
    const int part = i % kRecordsPerWord;
    if (part == 0) word = weights[offset * kWordsPerAlign + i / kRecordsPerWord];
    Record record;
    record.mult = static_cast<unsigned long long>(
        word.range(kPortBits * part + kMultBits - 1, kPortBits * part));
    record.bias = static_cast<unsigned long long>(
        word.range(kPortBits * part + 64 + kBiasBits - 1, kPortBits * part + 64));
    records.write(record);
  }
}

/// Everything one matmul reads, in an order in which no reader waits for a later part.
inline void load_weights(const Command& c, const FillPlan& plan, const weight_word_t* weights,
                         hls::stream<weight_word_t>& fill, hls::stream<Record>& norm_records,
                         hls::stream<Record>& requant_records, hls::stream<act_t>& gelu,
                         hls::stream<weight_word_t>& constants) {
  ap_uint<32> left = plan.missing;
  int segment = 0;
  ap_uint<32> done = 0;
  const bool normalized = c.source == kSourceNorm || c.source == kSourceNormPrefix;
phase_loop:
  for (int phase = 0; phase < 2; ++phase) {
  segment_loop:
    while (left > 0) {
      const ap_uint<32> rest = plan.segment[segment].words - done;
      const ap_uint<32> take = rest < left ? rest : left;
      const ap_uint<32> from = plan.segment[segment].address + done * kWordsPerRingWord;
    fill_loop:
      for (int i = 0; i < int(take) * kWordsPerRingWord; ++i) {
#pragma HLS PIPELINE II = 1
        fill.write(weights[from + i]);
      }
      left -= take;
      done += take;
      if (done == plan.segment[segment].words) {
        ++segment;
        done = 0;
      }
    }
    if (phase == 0) {
      if (normalized) {
        load_records(weights, c.norm_offset, ceil_div(c.dim, kPe) * kPe, norm_records);
      }
      load_records(weights, c.requant_offset, int(c.n_words) * kPe, requant_records);
      if (c.dest == kDestHidden) {
      gelu_loop:
        for (int i = 0; i < kGeluEntries; ++i) {
#pragma HLS PIPELINE II = 1
          const int kPerWord = kWeightWordBits / 8;
          const weight_word_t word = weights[c.gelu_offset * kWordsPerAlign + i / kPerWord];
          const int low = 8 * (i % kPerWord);
          gelu.write(static_cast<unsigned long long>(word.range(low + 7, low)));
        }
      }
      if (c.source == kSourcePixels) {
        const int groups = ceil_div(c.tokens, kTokens);
      constant_loop:
        for (int i = 0; i < groups * int(c.n_words) * kConstantTileWords; ++i) {
#pragma HLS PIPELINE II = 1
          constants.write(weights[c.constant_offset * kWordsPerAlign + i]);
        }
      }
      left = plan.prefetch;
    }
  }
}

/// Takes weight words, one a cycle, and puts whole ring words into the ring.
struct RingWriter {
  RingWord pending;
  ap_uint<32> position;  ///< ring word that is filled next
  int part;              ///< weight words of it that came

  /// Accepts one weight word.
  void put(RingWord ring[kRingWords], weight_word_t word) {
#pragma HLS INLINE
  place_loop:
    for (int i = 0; i < kWeightWordBits / 4; ++i) {
#pragma HLS UNROLL
      const int nibble = part * (kWeightWordBits / 4) + i;
      pending.nibble[nibble / kNibbles][nibble % kNibbles] =
          static_cast<unsigned long long>(word.range(4 * i + 3, 4 * i));
    }
    if (part == kWordsPerRingWord - 1) {
      ring[position] = pending;
      position = position == kRingWords - 1 ? ap_uint<32>(0) : ap_uint<32>(position + 1);
      part = 0;
    } else {
      ++part;
    }
  }
};

}  // namespace vaqf
