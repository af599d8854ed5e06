/// The binary engine: kTokens x kPe x kSimd multiply-accumulates per cycle, from the memories of a
/// frame to the memories of a frame.
///
/// One command is a sequence of passes: by token group, pixel digit and K slice. In each pass
/// every output word takes one cycle per weight plane. In one turn a pass computes, the next one
/// is prepared (lookup.hpp or masked_sum.hpp), the slice of the one after it is gathered, and
/// weights arrive for later commands. The first two turns of a command and the last two lack some.
///   binary weights:  acc += 2 * S - sum(a)          S = sum of a where the weight bit is 1
///   bit plane i:     acc += (i == 7 ? -S : S) << (i + digit * kActBits)
///
/// All of it is one process, since what a command writes the next one reads: a dataflow region
/// must not have a memory in two processes.
#pragma once

#include "vaqf/results.hpp"
#if VAQF_ENGINE_TABLE
#include "vaqf/lookup.hpp"
#else
#include "vaqf/masked_sum.hpp"
#endif

namespace vaqf {

/// What a command's passes have in common.
struct Passes {
  int groups;    ///< token groups
  int slices;    ///< K slices of a row
  int words;     ///< output words
  int interval;  ///< cycles of a plane: an output's sums come back after kMinInterval at least
  int planes;
};

inline Passes passes_of(const Command& c) {
#pragma HLS INLINE
  Passes passes;
  passes.groups = token_groups(c);
  passes.slices = ceil_div(c.k_words, kSliceWords);
  passes.words = c.n_words;
  passes.interval = passes.words < kMinInterval ? kMinInterval : passes.words;
  passes.planes = c.planes;
  return passes;
}

/// A pass: its place in the order.
struct Pass {
  int group;
  int digit;
  int slice;
};

inline void count_pass(const Command& c, const Passes& passes, Pass& pass) {
#pragma HLS INLINE
  const bool last_slice = pass.slice == passes.slices - 1;
  if (last_slice) count_nested(pass.digit, int(c.digits) - 1, pass.group);
  pass.slice = last_slice ? 0 : pass.slice + 1;
}

/// The ring word `back` words before `place`.
inline ring_word_t ring_before(ring_word_t place, ring_word_t back) {
#pragma HLS INLINE
  return place < back ? ring_word_t(place + kRingWords - back) : ring_word_t(place - back);
}

/// One cycle's weights.
inline void read_ring(const RingRow ring[kPe][kRingWords], ring_word_t address,
                      ap_uint<4> nibbles[kPe][kNibbles]) {
#pragma HLS INLINE
weight_row_loop:
  for (int p = 0; p < kPe; ++p) {
#pragma HLS UNROLL
    const RingRow row = ring[p][address];
  weight_nibble_loop:
    for (int g = 0; g < kNibbles; ++g) {
#pragma HLS UNROLL
      nibbles[p][g] = row.nibble[g];
    }
  }
}

/// Copies a slice: between turns, so that within one nothing is both written and read.
inline void take_over(act_t to[kSimd][kTokens], const act_t from[kSimd][kTokens]) {
#pragma HLS INLINE
take_input_loop:
  for (int k = 0; k < kSimd; ++k) {
#pragma HLS UNROLL
  take_row_loop:
    for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
      to[k][t] = from[k][t];
    }
  }
}

/// Calls the function of every output: outputs 0 to Output.
template <int Output>
struct Outputs {
  static void sum(const act_t inputs[kSimd][kTokens],
                  const entry_t entries[kEntryGroups][kEntryRows], bool store, int step, int bank,
                  const ap_uint<4> nibbles[kPe][kNibbles], slice_sum_t sums[kPe][kTokens]) {
#pragma HLS INLINE
    Outputs<Output - 1>::sum(inputs, entries, store, step, bank, nibbles, sums);
    sum_subsets<Output>(inputs, entries, store, step, bank, nibbles[Output], sums[Output]);
  }
};

template <>
struct Outputs<-1> {
  static void sum(const act_t[kSimd][kTokens], const entry_t[kEntryGroups][kEntryRows], bool, int,
                  int, const ap_uint<4>[kPe][kNibbles], slice_sum_t[kPe][kTokens]) {
#pragma HLS INLINE
  }
};

/// The accumulators of one output word after one more pass or plane; `first`: there are none yet.
inline AccTile accumulate(const slice_sum_t sums[kPe][kTokens], const slice_sum_t total[kTokens],
                          bool binary, int plane, int shift, bool first, const AccTile& before) {
#pragma HLS INLINE
  AccTile acc;
acc_row_loop:
  for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
  acc_output_loop:
    for (int p = 0; p < kPe; ++p) {
#pragma HLS UNROLL
      const acc_t s = sums[p][t];
      acc_t value = 0;
      if (binary) {
        value = 2 * s - total[t];
      } else {
        const acc_t shifted = s << shift;
        value = plane == kFixedWeightBits - 1 ? acc_t(-shifted) : shifted;
      }
      const acc_t base = first ? acc_t(0) : before.value[t][p];
      acc.value[t][p] = base + value;
    }
  }
  return acc;
}

/// What pixels are added to instead of the residual stream.
inline void take_constants(const ResidualTile& constants, ResidualWord stream[kTokens]) {
#pragma HLS INLINE
constant_row_loop:
  for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
    stream[t] = constants.row[t];
  }
}

constexpr int longest(int a, int b) { return a > b ? a : b; }

/// Runs one matmul command; its weights lie in the ring from `base` on, and `missing` ring words of
/// them come first, to `write` and behind it. `prefetch` more come while it runs.
inline void binary_engine(packed_command_t packed, int index, bool first_frame, ap_uint<32> base,
                          ap_uint<32> write, ap_uint<32> missing, ap_uint<32> prefetch,
                          hls::stream<weight_word_t>& fill, hls::stream<act_t>& gelu,
                          hls::stream<RecordWord>& norm_words,
                          hls::stream<RecordWord>& requant_words, hls::stream<ActTile>& pixels,
                          hls::stream<ResidualTile>& constants, hls::stream<LogitWord>& logits,
                          RingRow ring[kPe][kRingWords], ActWord q[kBanks][kAttentionDepth],
                          ActWord k[kBanks][kAttentionDepth], ActWord v[kBanks][kAttentionDepth],
                          const ActWord context[kBanks][kAttentionDepth],
                          ActWord hidden[kTokens][kHiddenDepth],
                          ResidualWord residual[kTokens][kResidualDepth],
                          RowSumsTile sums[kGroups]) {
  const Command c = decode(packed);
  static AccTile partial[kPartialWords];
  VAQF_BIND_BRAM(partial)
  VAQF_AGGREGATE(partial)
  static act_t gathered[kSimd][kTokens];  // of the pass after next
  static act_t slice[kSimd][kTokens];     // of the next one
  static act_t inputs[kSimd][kTokens];    // of the one that runs
#pragma HLS ARRAY_PARTITION variable = gathered complete dim = 0
#pragma HLS ARRAY_PARTITION variable = slice complete dim = 0
#pragma HLS ARRAY_PARTITION variable = inputs complete dim = 0
  static slice_sum_t next_total[kTokens], total[kTokens];
#pragma HLS ARRAY_PARTITION variable = next_total complete
#pragma HLS ARRAY_PARTITION variable = total complete
  static act_t gelu_table[kGeluEntries];
  VAQF_BIND_TABLES(gelu_table)
  weight_word_t pending[kWordsPerRingWord];
#pragma HLS ARRAY_PARTITION variable = pending complete
  RingWriter writer;
  writer.position = write;
  writer.part = 0;
  fill_ring(int(missing) * kWordsPerRingWord, fill, ring, writer, pending);
  if (c.dest == kDestHidden) store_gelu(gelu, gelu_table);

  const Passes passes = passes_of(c);
  const Rounds rounds = rounds_of(c);
  const bool norm = is_norm(c), adds = c.dest == kDestResidual && c.source != kSourcePixels;
  const int count = passes.groups * int(c.digits) * passes.slices;
  const ring_word_t row_words = passes.slices * passes.words;  // of one weight plane
  int to_fill = int(prefetch) * kWordsPerRingWord;
  Gather gather = {0, 0, 0};
  Pass pass = {0, 0, 0};
  QkvPlace place = {0, 0};
  Normalizer rows[kTokens];
#pragma HLS ARRAY_PARTITION variable = rows complete
  RecordWord norm_record;
  ActTile tile;
  RowSumsTile row_sums;
  entry_t entries[kEntryGroups][kEntryRows];
#pragma HLS ARRAY_PARTITION variable = entries complete dim = 0

turn_loop:
  for (int turn = 0; turn < count + 2; ++turn) {
    const bool gathers = turn < count, prepares = turn > 0 && turn <= count, computes = turn > 1;
    const int bank = turn & 1;  // that is prepared
    take_over(inputs, slice);
    take_over(slice, gathered);
  total_row_loop:
    for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
      total[t] = next_total[t];
    }
    if (gathers && norm && gather.word == 0) start_round(c, gather.round, sums, rows);
    const bool first_pass = pass.digit == 0 && pass.slice == 0;
    const bool last_pass = pass.digit == int(c.digits) - 1 && pass.slice == passes.slices - 1;
    // the highest plane comes first in the ring, plane 0 is used first
    ring_word_t plane_start = base + c.weight_words - (passes.slices - pass.slice) * passes.words;
    if (plane_start >= kRingWords) plane_start -= kRingWords;
    ring_word_t address = plane_start;
    count_t n = 0;
    ap_uint<4> plane = 0;
    const int gather_cycles = gathers ? kSliceWords * rounds.steps : 0;
    const int prepare_cycles = prepares ? kPrepareSteps : 0;
    const int compute_cycles = computes ? passes.interval * passes.planes : 0;
    const int cycles = longest(longest(gather_cycles, prepare_cycles), compute_cycles);
  cycle_loop:
    for (int i = 0; i < cycles; ++i) {
#pragma HLS PIPELINE II = 1
// an output word comes back after kMinInterval cycles or more
#pragma HLS DEPENDENCE variable = partial inter RAW distance = kMinInterval true
// the ring is filled where no command that runs reads
#pragma HLS DEPENDENCE variable = ring inter false
// a command reads or writes hidden; of the residual stream it writes what it read in the same cycle
#pragma HLS DEPENDENCE variable = hidden inter false
#pragma HLS DEPENDENCE variable = residual inter false
// a step's entries are used in the cycle that makes them
#pragma HLS DEPENDENCE variable = entries inter false
      const bool gathering = i < gather_cycles, preparing = i < prepare_cycles;
      const bool computing = i < compute_cycles && int(n) < passes.words;
      const bool inside = gathering && gather.word < rounds.used;

      // the residual stream has one read port: a command normalizes or adds
      ResidualWord stream[kTokens];
#pragma HLS ARRAY_PARTITION variable = stream complete
      const int stream_word = norm ? norm_group(c, gather.round) * rounds.used + gather.word
                                   : pass.group * passes.words + int(n);
      if (norm ? inside : adds && computing) read_stream(residual, stream_word, stream);

      if (gathering) {
        gather_step(c, rounds, inside, gather, stream, rows, context, hidden, norm_words, pixels,
                    first_frame, index, norm_record, tile, gathered);
      }
      if (preparing) prepare(slice, i, entries, next_total);
      if (preparing || computing) {
        ap_uint<4> nibbles[kPe][kNibbles];
#pragma HLS ARRAY_PARTITION variable = nibbles complete dim = 0
        read_ring(ring, address, nibbles);
        slice_sum_t subset[kPe][kTokens];
#pragma HLS ARRAY_PARTITION variable = subset complete dim = 0
        Outputs<kPe - 1>::sum(inputs, entries, preparing, i, bank, nibbles, subset);
        if (computing) {
          const bool first = first_pass && plane == 0;
          const bool last = last_pass && int(plane) == passes.planes - 1;
          const int shift = int(plane) + pass.digit * kActBits;
          const AccTile before = partial[last && first ? 0 : int(n)];
          const AccTile acc = accumulate(subset, total, c.planes == 1, plane, shift, first, before);
          if (last) {
            if (c.source == kSourcePixels) take_constants(constants.read(), stream);
            const Results out = finish(c, pass.group, n, acc, requant_words.read(), stream,
                                       gelu_table, first_frame, index, row_sums);
            store(c, pass.group, n, place, out, row_sums, q, k, v, hidden, residual, sums, logits);
          } else {
            partial[n] = acc;
          }
          address = address == kRingWords - 1 ? ring_word_t(0) : ring_word_t(address + 1);
        }
      }
      if (int(n) == passes.interval - 1) {
        plane_start = ring_before(plane_start, row_words);
        address = plane_start;
      }
      count_nested(n, passes.interval - 1, plane);
      if (to_fill > 0 && !fill.empty()) {
        put_word(ring, writer, pending, fill.read());
        --to_fill;
      }
    }
    if (computes) count_pass(c, passes, pass);
  }
  fill_ring(to_fill, fill, ring, writer, pending);
}

}  // namespace vaqf
