/// The subset of hls::stream that this library uses, for C simulation: an unbounded queue.
///
/// Processes of a dataflow region run one after the other here, so a queue holds all that one
/// command sends. Reading an empty queue is a deadlock in hardware and ends the simulation.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <vector>

namespace hls {

template <class T>
class stream {
 public:
  stream() : name_("stream"), head_(0) {}
  explicit stream(const char* name) : name_(name), head_(0) {}
  ~stream() {
    if (empty()) return;
    std::fprintf(stderr, "C-sim: stream %s ends with data left over\n", name_);
    std::abort();
  }
  stream(const stream&) = delete;
  stream& operator=(const stream&) = delete;

  bool empty() const { return head_ == items_.size(); }
  void write(const T& item) { items_.push_back(item); }
  T read() {
    if (empty()) {
      std::fprintf(stderr, "C-sim: stream %s read while empty: the hardware would hang\n", name_);
      std::abort();
    }
    const T item = items_[head_++];
    if (head_ == items_.size()) {
      items_.clear();
      head_ = 0;
    }
    return item;
  }

 private:
  const char* name_;
  size_t head_;
  std::vector<T> items_;
};

}  // namespace hls
