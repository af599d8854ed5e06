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
constexpr int kRecordsPerWord = kWeightWordBits / kPortBits;
constexpr int kBytesPerWord = kWeightWordBits / 8;
constexpr int kMaxSegments = 16;
constexpr int kNibbles = kSimd / 4;
/// A ring word's place, and sums of two such.
typedef ap_uint<bits_for(2 * kRingWords)> ring_word_t;
constexpr int kSliceSumBits = kActBits + bits_for(kSimd);
typedef ap_uint<kSliceSumBits> slice_sum_t;  ///< sum of one token's inputs of one pass

/// One cycle's weights of one output, four inputs in each nibble; bit 0 is the first input. The
/// ring lies in one memory per output: a whole ring word is wider than a tool packs.
struct RingRow {
  ap_uint<4> nibble[kNibbles];
};

/// Consecutive ring words of one command, in memory.
struct Segment {
  ap_uint<32> address;  ///< in weight words
  ap_uint<32> words;    ///< in ring words
};

/// Whether a matmul takes its inputs through the layer norm.
inline bool is_norm(const Command& c) {
#pragma HLS INLINE
  return c.source == kSourceNorm || c.source == kSourceNormPrefix;
}

/// Token groups of a matmul.
inline int token_groups(const Command& c) {
#pragma HLS INLINE
  return ceil_div(c.tokens, kTokens);
}

/// What one command reads from the weight image.
struct FillPlan {
  ap_uint<32> base;      ///< ring word of the command's first weights
  ap_uint<32> write;     ///< ring word that is filled next
  ap_uint<32> missing;   ///< ring words to wait for before the command starts
  ap_uint<32> prefetch;  ///< ring words to take in while it runs
  ap_uint<5> segments;
};

/// Where a block of the weight image begins. Every loop below reads from such a pointer at its own
/// counter, so that a tool sees a burst.
inline const weight_word_t* block_at(const weight_word_t* weights, ap_uint<32> offset) {
#pragma HLS INLINE
  return weights + static_cast<unsigned>(offset) * kWordsPerAlign;
}

/// `count` records; every weight word is read once.
inline void load_records(const weight_word_t* from, int count, hls::stream<Record>& records) {
#pragma HLS INLINE
  const int words = ceil_div(count, kRecordsPerWord);
load_record_loop:
  for (int i = 0; i < words; ++i) {
#pragma HLS PIPELINE II = kRecordsPerWord
    const weight_word_t word = from[i];
  record_part_loop:
    for (int part = 0; part < kRecordsPerWord; ++part) {
#pragma HLS UNROLL
      const int low = kPortBits * part;
      Record record;
      record.mult = static_cast<unsigned long long>(word.range(low + kMultBits - 1, low));
      record.bias = static_cast<unsigned long long>(word.range(low + 64 + kBiasBits - 1, low + 64));
      if (i * kRecordsPerWord + part < count) records.write(record);
    }
  }
}

/// The 256 entries of one gelu table, one byte each in memory.
inline void load_gelu(const weight_word_t* from, hls::stream<act_t>& gelu) {
#pragma HLS INLINE
  static_assert(kGeluEntries % kBytesPerWord == 0, "a table is whole words");
load_gelu_loop:
  for (int i = 0; i < kGeluEntries / kBytesPerWord; ++i) {
#pragma HLS PIPELINE II = kBytesPerWord
    const weight_word_t word = from[i];
  gelu_part_loop:
    for (int part = 0; part < kBytesPerWord; ++part) {
#pragma HLS UNROLL
      gelu.write(static_cast<unsigned long long>(word.range(8 * part + 7, 8 * part)));
    }
  }
}

/// Whole weight words: of the ring, or the constants in the place of the skip path.
inline void load_words(const weight_word_t* from, int count, hls::stream<weight_word_t>& words) {
#pragma HLS INLINE
load_word_loop:
  for (int i = 0; i < count; ++i) {
#pragma HLS PIPELINE II = 1
    words.write(from[i]);
  }
}

/// Everything one matmul reads. No reader may wait for a part that comes after one which is not
/// yet taken: the engine takes the missing words and the gelu table before anything else, and the
/// records are all stored before one of them is used (records.hpp).
inline void load_weights(packed_command_t packed, ap_uint<32> missing, ap_uint<32> prefetch,
                         const Segment segments[kMaxSegments], const weight_word_t* weights,
                         hls::stream<weight_word_t>& fill, hls::stream<Record>& norm_records,
                         hls::stream<Record>& requant_records, hls::stream<act_t>& gelu,
                         hls::stream<weight_word_t>& constants) {
  const Command c = decode(packed);
  ap_uint<32> left = missing;
  int segment = 0;
  ap_uint<32> done = 0;
phase_loop:
  for (int phase = 0; phase < 2; ++phase) {
  segment_loop:
    while (left > 0) {
      const ap_uint<32> rest = segments[segment].words - done;
      const ap_uint<32> take = rest < left ? rest : left;
      const ap_uint<32> first = segments[segment].address + done * kWordsPerRingWord;
      load_words(weights + static_cast<unsigned>(first), int(take) * kWordsPerRingWord, fill);
      left -= take;
      done += take;
      if (done == segments[segment].words) {
        ++segment;
        done = 0;
      }
    }
    if (phase == 0) {
      if (c.dest == kDestHidden) load_gelu(block_at(weights, c.gelu_offset), gelu);
      if (is_norm(c)) {
        load_records(block_at(weights, c.norm_offset), ceil_div(c.dim, kPe) * kPe, norm_records);
      }
      load_records(block_at(weights, c.requant_offset), int(c.n_words) * kPe, requant_records);
      if (c.source == kSourcePixels) {
        const int tiles = token_groups(c) * int(c.n_words);
        load_words(block_at(weights, c.constant_offset), tiles * kConstantTileWords, constants);
      }
      left = prefetch;
    }
  }
}

/// Where the ring is filled, and how much of a ring word has come.
struct RingWriter {
  ap_uint<32> position;  ///< ring word that is filled next
  int part;              ///< weight words of it that came
};

/// Accepts one weight word. Words are shifted in, so that every wire is fixed.
inline void put_word(RingRow ring[kPe][kRingWords], RingWriter& writer,
                     weight_word_t pending[kWordsPerRingWord], weight_word_t word) {
#pragma HLS INLINE
shift_loop:
  for (int j = 0; j + 1 < kWordsPerRingWord; ++j) {
#pragma HLS UNROLL
    pending[j] = pending[j + 1];
  }
  pending[kWordsPerRingWord - 1] = word;
  if (writer.part == kWordsPerRingWord - 1) {
    RingRow row[kPe];
#pragma HLS ARRAY_PARTITION variable = row complete
  place_word_loop:
    for (int j = 0; j < kWordsPerRingWord; ++j) {
#pragma HLS UNROLL
    place_nibble_loop:
      for (int i = 0; i < kWeightWordBits / 4; ++i) {
#pragma HLS UNROLL
        const int nibble = j * (kWeightWordBits / 4) + i;
        row[nibble / kNibbles].nibble[nibble % kNibbles] =
            static_cast<unsigned long long>(pending[j].range(4 * i + 3, 4 * i));
      }
    }
  store_row_loop:
    for (int p = 0; p < kPe; ++p) {
#pragma HLS UNROLL
      ring[p][writer.position] = row[p];
    }
    writer.position =
        writer.position == kRingWords - 1 ? ap_uint<32>(0) : ap_uint<32>(writer.position + 1);
    writer.part = 0;
  } else {
    ++writer.part;
  }
}

/// Accepts `count` weight words, waiting for each.
inline void fill_ring(int count, hls::stream<weight_word_t>& fill, RingRow ring[kPe][kRingWords],
                      RingWriter& writer, weight_word_t pending[kWordsPerRingWord]) {
#pragma HLS INLINE
fill_loop:
  for (int i = 0; i < count; ++i) {
#pragma HLS PIPELINE II = 1
    put_word(ring, writer, pending, fill.read());
  }
}

}  // namespace vaqf
