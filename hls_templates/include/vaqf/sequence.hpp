/// Which command runs for which frame, and what the weight ring takes in meanwhile.
///
/// The list is one iteration; command c of iteration i works for frame
/// i * kFramesInFlight + c.frame_offset, in slot frame mod 2, and is skipped where there is no such
/// frame. Weights are read in exactly the order in which the commands run.
#pragma once

#include "vaqf/weights.hpp"

namespace vaqf {

/// How often the list runs: with two frames in flight a frame ends an iteration later.
inline int iterations(int frames) {
#pragma HLS INLINE
  return kFramesInFlight == 1 ? frames : (frames + 1) / 2 + 1;
}

inline int frame_of(const Command& c, int iteration) {
#pragma HLS INLINE
  return iteration * kFramesInFlight + int(c.frame_offset);
}

inline bool runs(const Command& c, int iteration, int frames) {
#pragma HLS INLINE
  const int frame = frame_of(c, iteration);
  return frame >= 0 && frame < frames;
}

/// Whether a command brings its weights: a design with resident weights reads them once.
inline bool loads(const Command& c, int iteration, int frames) {
#pragma HLS INLINE
  return c.opcode == kOpMatmul && runs(c, iteration, frames) &&
         (!kResident || frame_of(c, iteration) == 0);
}

/// State of the ring between commands.
struct Ring {
  int iteration;      ///< of the command whose weights are read next
  int index;          ///< that command
  ap_uint<32> done;   ///< ring words of it that were read
  ap_uint<32> write;  ///< ring word that is filled next
  ap_uint<32> read;   ///< ring word of the next command's first weights
  ap_uint<32> held;   ///< ring words read and not yet released
};

inline Ring empty_ring() {
#pragma HLS INLINE
  const Ring ring = {0, 0, 0, 0, 0, 0};
  return ring;
}

/// Moves on to the next command that brings weights; false behind the last one. No pipeline: the
/// next step waits for a read of the list and its decoding, and there are few of them.
inline bool find_load(Ring& ring, const packed_command_t list[kMaxCommands], int count,
                      int frames) {
  bool found = false;
find_loop:
  while (!found && ring.iteration < iterations(frames)) {
#pragma HLS PIPELINE off
    if (loads(decode(list[ring.index]), ring.iteration, frames)) {
      found = true;
    } else {
      count_nested(ring.index, count - 1, ring.iteration);
    }
  }
  return found;
}

/// Takes up to `budget` ring words of coming commands into the plan.
inline ap_uint<32> plan_segments(Ring& ring, FillPlan& plan, Segment segments[kMaxSegments],
                                 ap_uint<32> budget, const packed_command_t list[kMaxCommands],
                                 int count, int frames) {
  ap_uint<32> planned = 0;
segment_loop:
  while (planned < budget && plan.segments < kMaxSegments && find_load(ring, list, count, frames)) {
    const Command c = decode(list[ring.index]);
    const ap_uint<32> rest = c.weight_words - ring.done;
    const ap_uint<32> room = budget - planned;
    const ap_uint<32> take = rest < room ? rest : room;
    Segment segment;
    segment.address = c.weight_offset * kWordsPerAlign + ring.done * kWordsPerRingWord;
    segment.words = take;
    segments[plan.segments] = segment;
    ++plan.segments;
    planned += take;
    ring.done += take;
    if (ring.done == c.weight_words) {
      ring.done = 0;
      count_nested(ring.index, count - 1, ring.iteration);
    }
  }
  ring.held += planned;
  ring.write += planned;
  if (ring.write >= kRingWords) ring.write -= kRingWords;
  return planned;
}

/// Cycles of the longest command: all its weights for each token group and digit.
typedef ap_uint<bits_for(kRingWords) + bits_for(kMaxTokens / kTokens * kPixelDigits)> cycles_t;

/// What `c`, which runs next, waits for and what is read while it runs.
inline FillPlan plan_fill(Ring& ring, const Command& c, Segment segments[kMaxSegments],
                          const packed_command_t list[kMaxCommands], int count, int frames) {
  FillPlan plan;
  plan.segments = 0;
  plan.write = ring.write;
  // resident weights lie in the order of frame 0's commands; the ring is then never released
  plan.base = kResident ? c.ring_offset : ring.read;
  const ap_uint<32> needed =
      kResident ? ap_uint<32>(c.ring_offset + c.weight_words) : c.weight_words;
  const ap_uint<32> own = ring.held < needed ? ap_uint<32>(needed - ring.held) : ap_uint<32>(0);
  plan.missing = plan_segments(ring, plan, segments, own, list, count, frames);
  const cycles_t rounds = token_groups(c) * int(c.digits);
  const cycles_t cycles = rounds * c.weight_words;
  const cycles_t time = cycles / kWordsPerRingWord;
  const ap_uint<32> room = kRingWords - ring.held;
  const ap_uint<32> budget = time < room ? ap_uint<32>(time) : room;
  plan.prefetch = plan_segments(ring, plan, segments, budget, list, count, frames);
  if (!kResident) {
    ring.held -= c.weight_words;
    ring.read += c.weight_words;
    if (ring.read >= kRingWords) ring.read -= kRingWords;
  }
  return plan;
}

}  // namespace vaqf
