/// Lets a C-sim test bench see every layer; nothing of it is synthesized.
#pragma once

namespace vaqf {

#ifndef __SYNTHESIS__
/// Called with each value a command computes (or normalizes, at its input) for frame 0.
struct TraceSink {
  virtual ~TraceSink() {}
  virtual void put(int command, bool normalized_input, int token, int channel, int value) = 0;
  /// Called when a frame's logits are written.
  virtual void frame_done(int frame) = 0;
};

inline TraceSink*& trace_sink() {
  static TraceSink* sink = nullptr;
  return sink;
}

inline void trace(bool first_frame, int command, bool normalized_input, int token, int channel,
                  int value) {
  if (first_frame && trace_sink() != nullptr)
    trace_sink()->put(command, normalized_input, token, channel, value);
}

inline void frame_done(int frame) {
  if (trace_sink() != nullptr) trace_sink()->frame_done(frame);
}
#else
inline void trace(bool, int, bool, int, int, int) {
#pragma HLS INLINE
}

inline void frame_done(int) {
#pragma HLS INLINE
}
#endif

}  // namespace vaqf
