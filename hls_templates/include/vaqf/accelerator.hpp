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
};

/// Reads one command: a burst of whole port words.
inline packed_command_t read_command(const port_word_t* commands, int index) {
#pragma HLS INLINE
  const int kWords = 32 * kCommandWords / kPortBits;
  packed_command_t packed = 0;
command_word_loop:
  for (int i = 0; i < kWords; ++i) {
#pragma HLS PIPELINE II = 1
    const port_word_t read = commands[index * kWords + i];
  command_part_loop:
    for (int j = 0; j < kPortBits / 32; ++j) {
#pragma HLS UNROLL
      const int low = kPortBits * i + 32 * j;
      packed.range(low + 31, low) = static_cast<unsigned>(read.range(32 * j + 31, 32 * j));
    }
  }
  return packed;
}

/// All matmul commands of one step, one after the other.
inline void run_matmuls(const Step& step, Ring& state, const packed_command_t list[kMaxCommands],
                        int count, int frames, const weight_word_t* weights,
                        const port_word_t* images, port_word_t* results,
                        RingRow ring[kPe][kRingWords], ActWord q[kBanks][kAttentionDepth],
                        ActWord k[kBanks][kAttentionDepth], ActWord v[kBanks][kAttentionDepth],
                        ActWord hidden[kTokens][kHiddenDepth],
                        ResidualWord residual[kTokens][kResidualDepth], RowSumsTile sums[kGroups]) {
#pragma HLS INLINE off
  Segment segments[kMaxSegments];
command_loop:
  for (int i = step.first; i < step.end; ++i) {
    const packed_command_t packed = list[i];
    const Command c = decode(packed);
    if (c.opcode == kOpMatmul && runs(c, step.iteration, frames)) {
      const int number = frame_of(c, step.iteration);
      const FillPlan plan = plan_fill(state, c, segments, list, count, frames);
      const ap_uint<32> image_word = number * frame_words(c);
      const ap_uint<32> result_word = kStatusBytes / (kPortBits / 8) + number * result_words(c);
      matmul(packed, i, number == 0, image_word, result_word, plan.base, plan.write, plan.missing,
             plan.prefetch, segments, weights, images, results, ring, q, k, v, hidden, residual,
             sums);
      if (c.dest == kDestLogits) frame_done(number);
    }
  }
}

/// The attention command of one step, if `index` says that there is one.
inline void run_attention(packed_command_t packed, int index, bool first_frame,
                          const Record records[kMaxAttention], ActWord q[kBanks][kAttentionDepth],
                          const ActWord k[kBanks][kAttentionDepth],
                          const ActWord v[kBanks][kAttentionDepth]) {
#pragma HLS INLINE off
  if (index >= 0) attend(packed, index, first_frame, records, q, k, v);
}

inline void load_context(packed_command_t packed, const weight_word_t* weights,
                         hls::stream<Record>& loaded) {
  const Command c = decode(packed);
  load_records(weights, c.requant_offset, int(c.n_words) * kPe, loaded);
}

inline void store_context(packed_command_t packed, hls::stream<Record>& loaded,
                          Record records[kMaxAttention]) {
  const Command c = decode(packed);
record_loop:
  for (int r = 0; r < int(c.n_words) * kPe; ++r) {
#pragma HLS PIPELINE II = 1
    records[r] = loaded.read();
  }
}

/// The requantization of one layer's context, before its step: both engines use the weight port.
inline void load_context_records(packed_command_t packed, const weight_word_t* weights,
                                 Record records[kMaxAttention]) {
#pragma HLS DATAFLOW
  hls::stream<Record> loaded("loaded");
#pragma HLS STREAM variable = loaded depth = 16
  load_context(packed, weights, loaded);
  store_context(packed, loaded, records);
}

/// Starts a run; docs/accelerator.md describes every memory.
inline void run(const port_word_t* commands, const weight_word_t* weights,
                const port_word_t* images, port_word_t* results, ap_uint<32> n_frames,
                ap_uint<32> n_commands) {
  VAQF_ONE_INSTANCE(run_matmuls)
  VAQF_ONE_INSTANCE(run_attention)
  static packed_command_t list[kMaxCommands];
  static RingRow ring[kPe][kRingWords];
  static ActWord q[kFramesInFlight][kBanks][kAttentionDepth];
  static ActWord k[kFramesInFlight][kBanks][kAttentionDepth];
  static ActWord v[kFramesInFlight][kBanks][kAttentionDepth];
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
  VAQF_AGGREGATE(hidden)
  VAQF_AGGREGATE(residual)
  VAQF_AGGREGATE(sums)
#pragma HLS ARRAY_PARTITION variable = q complete dim = 1
#pragma HLS ARRAY_PARTITION variable = q complete dim = 2
#pragma HLS ARRAY_PARTITION variable = k complete dim = 1
#pragma HLS ARRAY_PARTITION variable = k complete dim = 2
#pragma HLS ARRAY_PARTITION variable = v complete dim = 1
#pragma HLS ARRAY_PARTITION variable = v complete dim = 2
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

  Ring state = {0, 0, 0, 0, 0, 0};
  if (status == kStatusDone) {
  iteration_loop:
    for (int i = 0; i < iterations(frames); ++i) {
      Step step;
      step.first = 0;
      step.iteration = i;
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
          const int frame = frame_of(decode(attention), i);
          first_frame = frame == 0;
          step.slot = kFramesInFlight - 1 - frame % kFramesInFlight;
          load_context_records(attention, weights, records);
        }
        // The two calls of a branch touch disjoint slots, so they run at the same time. With one
        // slot a step has one of the two.
        if (step.slot == 0) {
          run_matmuls(step, state, list, count, frames, weights, images, results, ring, q[0], k[0],
                      v[0], hidden, residual[0], sums[0]);
          run_attention(attention, step.attention, first_frame, records, q[kFramesInFlight - 1],
                        k[kFramesInFlight - 1], v[kFramesInFlight - 1]);
        } else {
          run_matmuls(step, state, list, count, frames, weights, images, results, ring,
                      q[kFramesInFlight - 1], k[kFramesInFlight - 1], v[kFramesInFlight - 1],
                      hidden, residual[kFramesInFlight - 1], sums[kFramesInFlight - 1]);
          run_attention(attention, step.attention, first_frame, records, q[0], k[0], v[0]);
        }
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
