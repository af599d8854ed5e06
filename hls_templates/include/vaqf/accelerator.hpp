/// Whole networks from a command list: the kernel behind the generated top function.
#pragma once

#include "vaqf/attention.hpp"
#include "vaqf/check.hpp"
#include "vaqf/matmul.hpp"
#include "vaqf/sequence.hpp"

namespace vaqf {

/// The commands of one step that run, and their frames.
struct Step {
  int first;  ///< command
  int end;    ///< behind the last
  int iteration;
  int attention;  ///< command of the attention engine, or -1
  int slot;       ///< of the binary engine
  bool restart;   ///< the first of a run
};

/// Reads one command: a burst of whole port words.
inline packed_command_t read_command(const port_word_t* commands, int index) {
#pragma HLS INLINE
  const int kWords = 32 * kCommandWords / kPortBits;
  const port_word_t* from = commands + index * kWords;
  packed_command_t packed = 0;
command_word_loop:
  for (int i = 0; i < kWords; ++i) {
#pragma HLS PIPELINE II = 1
    const port_word_t read = from[i];
  command_part_loop:
    for (int j = 0; j < kPortBits / 32; ++j) {
#pragma HLS UNROLL
      const int low = kPortBits * i + 32 * j;
      packed.range(low + 31, low) = static_cast<unsigned>(read.range(32 * j + 31, 32 * j));
    }
  }
  return packed;
}

/// All matmul commands of one step, one after the other. What the ring holds is kept here from step
/// to step, for this is its only user.
inline void run_matmuls(int first, int end, int iteration, bool restart,
                        const packed_command_t list[kMaxCommands], int count, int frames,
                        const weight_word_t* weights, const port_word_t* images,
                        port_word_t* results, RingRow ring[kPe][kRingWords],
                        ActWord q[kBanks][kAttentionDepth], ActWord k[kBanks][kAttentionDepth],
                        ActWord v[kBanks][kAttentionDepth],
                        const ActWord context[kBanks][kAttentionDepth],
                        ActWord hidden[kTokens][kHiddenDepth],
                        ResidualWord residual[kTokens][kResidualDepth], RowSumsTile sums[kGroups]) {
#pragma HLS INLINE off
  static Ring state;
  if (restart) state = empty_ring();
  Segment segments[kMaxSegments];
command_loop:
  for (int i = first; i < end; ++i) {
    const packed_command_t packed = list[i];
    const Command c = decode(packed);
    if (c.opcode == kOpMatmul && runs(c, iteration, frames)) {
      const int number = frame_of(c, iteration);
      const FillPlan plan = plan_fill(state, c, segments, list, count, frames);
      const MatMulSizes sizes = sizes_of(c);
      const ap_uint<32> image_word = number * frame_words(c);
      const ap_uint<32> result_word = kStatusBytes / (kPortBits / 8) + number * result_words(c);
      matmul(packed, i, number == 0, sizes.norm_words, sizes.norm_rounds, sizes.output_words,
             sizes.groups, sizes.pixel_words, sizes.pixel_groups, c.tokens, c.prefix_tokens,
             c.pixel_bytes, c.k_words, sizes.constant_tiles, sizes.logits, image_word, result_word,
             plan.base, plan.write, plan.missing, plan.prefetch, segments, weights, images, results,
             ring, q, k, v, context, hidden, residual, sums);
      if (c.dest == kDestLogits) frame_done(number);
    }
  }
}

/// The attention command of one step, if `index` says that there is one.
inline void run_attention(packed_command_t packed, int index, bool first_frame,
                          const Record records[kMaxAttention],
                          const ActWord q[kBanks][kAttentionDepth],
                          const ActWord k[kBanks][kAttentionDepth],
                          const ActWord v[kBanks][kAttentionDepth],
                          ActWord context[kBanks][kAttentionDepth]) {
#pragma HLS INLINE off
  if (index >= 0) {
    const Command c = decode(packed);
    const int groups = ceil_div(c.tokens, kAttentionRows);
    const int parts = int(c.head_words) / kHeadWords;
    attend(c.heads, groups, int(c.heads) * groups, c.tokens, parts, c.n_words, c.score_mult,
           c.score_shift, c.shift, index, first_frame, records, q, k, v, context);
  }
}

/// One step of two frames: the binary engine works for one slot and the attention engine for the
/// other, so that they share no memory and a dataflow region starts both at once.
inline void run_step(
    int first, int end, int iteration, bool restart, const packed_command_t list[kMaxCommands],
    int count, int frames, const weight_word_t* weights, const port_word_t* images,
    port_word_t* results, RingRow ring[kPe][kRingWords], ActWord q[kBanks][kAttentionDepth],
    ActWord k[kBanks][kAttentionDepth], ActWord v[kBanks][kAttentionDepth],
    const ActWord context[kBanks][kAttentionDepth], ActWord hidden[kTokens][kHiddenDepth],
    ResidualWord residual[kTokens][kResidualDepth], RowSumsTile sums[kGroups],
    packed_command_t attention, int index, bool first_frame, const Record records[kMaxAttention],
    const ActWord other_q[kBanks][kAttentionDepth], const ActWord other_k[kBanks][kAttentionDepth],
    const ActWord other_v[kBanks][kAttentionDepth],
    ActWord other_context[kBanks][kAttentionDepth]) {
#pragma HLS INLINE off
#pragma HLS DATAFLOW
  run_matmuls(first, end, iteration, restart, list, count, frames, weights, images, results, ring,
              q, k, v, context, hidden, residual, sums);
  run_attention(attention, index, first_frame, records, other_q, other_k, other_v, other_context);
}

inline void load_context(ap_uint<32> offset, count_t words, const weight_word_t* weights,
                         hls::stream<Record>& loaded) {
  load_records(block_at(weights, offset), int(words) * kPe, loaded);
}

inline void store_context(count_t words, hls::stream<Record>& loaded,
                          Record records[kMaxAttention]) {
record_loop:
  for (int r = 0; r < int(words) * kPe; ++r) {
#pragma HLS PIPELINE II = 1
    records[r] = loaded.read();
  }
}

/// The requantization of one layer's context, before its step: both engines use the weight port.
inline void load_context_records(ap_uint<32> offset, count_t words, const weight_word_t* weights,
                                 Record records[kMaxAttention]) {
#pragma HLS DATAFLOW
  hls::stream<Record> loaded("loaded");
#pragma HLS STREAM variable = loaded depth = 16
  load_context(offset, words, weights, loaded);
  store_context(words, loaded, records);
}

/// Starts a run; docs/accelerator.md describes every memory.
inline void run(const port_word_t* commands, const weight_word_t* weights,
                const port_word_t* images, port_word_t* results, ap_uint<32> n_frames,
                ap_uint<32> n_commands) {
  VAQF_ONE_INSTANCE(run_step)
  static packed_command_t list[kMaxCommands];
  static RingRow ring[kPe][kRingWords];
  static ActWord q[kFramesInFlight][kBanks][kAttentionDepth];
  static ActWord k[kFramesInFlight][kBanks][kAttentionDepth];
  static ActWord v[kFramesInFlight][kBanks][kAttentionDepth];
  static ActWord context[kFramesInFlight][kBanks][kAttentionDepth];
  static ActWord hidden[kTokens][kHiddenDepth];
  static ResidualWord residual[kFramesInFlight][kTokens][kResidualDepth];
  static RowSumsTile sums[kFramesInFlight][kGroups];
  static Record records[kMaxAttention];
  VAQF_BIND_BRAM(ring)
  VAQF_AGGREGATE(ring)
#pragma HLS ARRAY_PARTITION variable = ring complete dim = 1
  VAQF_AGGREGATE(q)
  VAQF_AGGREGATE(k)
  VAQF_AGGREGATE(v)
  VAQF_AGGREGATE(context)
  VAQF_AGGREGATE(hidden)
  VAQF_AGGREGATE(residual)
  VAQF_AGGREGATE(sums)
#pragma HLS ARRAY_PARTITION variable = q complete dim = 1
#pragma HLS ARRAY_PARTITION variable = q complete dim = 2
#pragma HLS ARRAY_PARTITION variable = k complete dim = 1
#pragma HLS ARRAY_PARTITION variable = k complete dim = 2
#pragma HLS ARRAY_PARTITION variable = v complete dim = 1
#pragma HLS ARRAY_PARTITION variable = v complete dim = 2
#pragma HLS ARRAY_PARTITION variable = context complete dim = 1
#pragma HLS ARRAY_PARTITION variable = context complete dim = 2
#pragma HLS ARRAY_PARTITION variable = hidden complete dim = 1
#pragma HLS ARRAY_PARTITION variable = residual complete dim = 1
#pragma HLS ARRAY_PARTITION variable = residual complete dim = 2
#pragma HLS ARRAY_PARTITION variable = sums complete dim = 1
#pragma HLS ARRAY_PARTITION variable = records cyclic factor = kAttentionLanes

  ap_uint<32> status = kStatusDone, where = 0;
  const int count = n_commands;
  const int frames = n_frames;
  if (n_commands == 0 || n_commands > kMaxCommands) {
    status = kStatusBadArguments;
  } else {
  list_loop:
    for (int i = 0; i < count; ++i) {
      list[i] = read_command(commands, i);
      if (status == kStatusDone && !fits(decode(list[i]))) {
        status = kStatusBadCommand;
        where = i;
      }
    }
  }

  if (status == kStatusDone) {
  iteration_loop:
    for (int i = 0; i < iterations(frames); ++i) {
      Step step;
      step.first = 0;
      step.iteration = i;
      step.restart = i == 0;
    step_loop:
      while (step.first < count) {
        step.attention = -1;
        step.slot = 0;
        step.end = step.first;
        bool open = true;
      gather_loop:
        while (open) {
          const Command c = decode(list[step.end]);
          if (runs(c, i, frames)) {
            if (c.opcode == kOpAttention) {
              step.attention = step.end;
            } else {
              step.slot = frame_of(c, i) % kFramesInFlight;
            }
          }
          open = !c.step_end && step.end < count - 1;
          ++step.end;
        }
        packed_command_t attention = 0;
        bool first_frame = false;
        if (step.attention >= 0) {
          attention = list[step.attention];
          const Command c = decode(attention);
          const int frame = frame_of(c, i);
          first_frame = frame == 0;
          step.slot = kFramesInFlight - 1 - frame % kFramesInFlight;
          load_context_records(c.requant_offset, c.n_words, weights, records);
        }
        // slots are chosen here, by which call runs: inside, every memory is one argument
        const int kOther = kFramesInFlight - 1;
        if (kFramesInFlight == 1) {  // a step has one of the two engines
          run_matmuls(step.first, step.end, i, step.restart, list, count, frames, weights, images,
                      results, ring, q[0], k[0], v[0], context[0], hidden, residual[0], sums[0]);
          run_attention(attention, step.attention, first_frame, records, q[0], k[0], v[0],
                        context[0]);
        } else if (step.slot == 0) {
          run_step(step.first, step.end, i, step.restart, list, count, frames, weights, images,
                   results, ring, q[0], k[0], v[0], context[0], hidden, residual[0], sums[0],
                   attention, step.attention, first_frame, records, q[kOther], k[kOther], v[kOther],
                   context[kOther]);
        } else {
          run_step(step.first, step.end, i, step.restart, list, count, frames, weights, images,
                   results, ring, q[kOther], k[kOther], v[kOther], context[kOther], hidden,
                   residual[kOther], sums[kOther], attention, step.attention, first_frame, records,
                   q[0], k[0], v[0], context[0]);
        }
        step.restart = false;
        step.first = step.end;
      }
    }
  }
  port_word_t block = 0;
  block.range(31, 0) = static_cast<unsigned>(status);
  block.range(63, 32) = static_cast<unsigned>(where);
  block.range(95, 64) = static_cast<unsigned>(status == kStatusDone ? frames : 0);
  results[0] = block;
}

}  // namespace vaqf
