"""Dataflow regions with a thread per process and streams as deep as their pragmas say.

C simulation runs the processes of a region one after the other on unbounded queues, so it sees
neither a deadlock nor two processes that touch one memory word in an order that only the clock
decides. Here the processes run at the same time: when all that are left wait for a stream, that is
a deadlock, and the thread sanitizer reports any two accesses that no stream orders.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hls_bench import Kernel, calibrated, design_for, pictures, small_vit, write_data

from vaqf.project import hls

BOUNDED_STREAM = """
#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>
namespace hls {
inline void fail(const char* name, const char* how) {
  std::fprintf(stderr, "deadlock: %s %s\\n", name, how);
  std::_Exit(3);
}

// Threads that wait for no stream and no other thread. Counted without an order that the sanitizer
// could take for one of the design's.
inline std::atomic<int> awake{1};
inline void sleep(const char* name, const char* how) {
  if (awake.fetch_sub(1, std::memory_order_relaxed) == 1) fail(name, how);
}
inline void wake() { awake.fetch_add(1, std::memory_order_relaxed); }

// Threads that one thread starts and waits for.
class Together {
 public:
  template <class Process>
  void start(Process process) {
    left_.fetch_add(1, std::memory_order_relaxed);
    wake();
    threads_.emplace_back([this, process] {
      process();
      end();
    });
  }
  void join() {
    end();
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  void end() {  // the last one to end is awake until its starter is
    if (left_.fetch_sub(1, std::memory_order_relaxed) == 1) return;
    sleep("a process", "has ended, and the others wait");
  }
  std::atomic<int> left_{1};
  std::vector<std::thread> threads_;
};

template <class T>
class stream {
 public:
  stream(const char* name, size_t depth) : name_(name), depth_(depth) {}
  ~stream() {
    if (!items_.empty()) fail(name_, "is left with words");
  }
  bool empty() {
    std::lock_guard<std::mutex> lock(mutex_);
    return items_.empty();
  }
  void write(const T& item) {
    std::unique_lock<std::mutex> lock(mutex_);
    if (items_.size() == depth_) wait(lock, writer_waits_, "stays full");
    items_.push_back(item);
    go_on(reader_waits_);
  }
  T read() {
    std::unique_lock<std::mutex> lock(mutex_);
    if (items_.empty()) wait(lock, reader_waits_, "stays empty");
    const T item = items_.front();
    items_.pop_front();
    go_on(writer_waits_);
    return item;
  }

 private:
  void wait(std::unique_lock<std::mutex>& lock, bool& waits, const char* how) {
    waits = true;
    sleep(name_, how);
    changed_.wait(lock, [&] { return !waits; });
  }
  void go_on(bool& waits) {  // the other end: awake from here on, not from when it notices
    if (!waits) return;
    waits = false;
    wake();
    changed_.notify_all();
  }
  const char* name_;
  const size_t depth_;
  bool writer_waits_ = false;
  bool reader_waits_ = false;
  std::deque<T> items_;
  std::mutex mutex_;
  std::condition_variable changed_;
};
}  // namespace hls
"""
REGION = re.compile(r"(#pragma HLS DATAFLOW\n)(.*?)(\n}\n)", re.DOTALL)
STREAM = re.compile(r'(hls::stream<\w+>) (\w+)\("\w+"\);')
DEPTH = re.compile(r"#pragma HLS STREAM variable = (\w+) depth = (\w+)\n")
CALL = re.compile(r"^  ([a-z]\w*(?:<[^;()]*>)?\([^;]*\));", re.MULTILINE)


def concurrent(source: str) -> tuple[str, int]:
    """The source with whatever hardware runs at the same time in threads; how many those are."""
    count = 0

    def region(match: re.Match[str]) -> str:
        nonlocal count
        body = match[2]
        depths = dict(DEPTH.findall(body))
        body = STREAM.sub(lambda m: f'{m[1]} {m[2]}("{m[2]}", {depths.pop(m[2])});', body)
        assert not depths, f"depth of no stream: {depths}"
        body, calls = CALL.subn(r"  run.start([&] { \1; });", DEPTH.sub("", body))
        count += calls
        return "  hls::Together run;\n" + body + "\n  run.join();" + match[3]

    source = REGION.sub(region, source)
    return "#include <hls_stream.h>\n" + source, count


def compile_concurrent(folder: Path, design, flags: str, short: str = "") -> Kernel:
    """A kernel whose processes run at the same time; the stream named by `short` holds one word."""
    hls.write_kernel(design, "test", folder)
    types = folder / "bounded"
    types.mkdir()
    shutil.copy(folder / "include/native/ap_int.h", types)
    (types / "hls_stream.h").write_text(BOUNDED_STREAM)
    threads = 0
    for header in (folder / "include/vaqf").glob("*.hpp"):
        text = header.read_text()
        if short:
            text = re.sub(rf"(STREAM variable = {short} depth =) \w+", r"\1 1", text)
        text, count = concurrent(text)
        threads += count
        if count:
            header.write_text(text)
    assert threads == 8 + 6 + 2 + 2, "matmul, attend, load_context_records, run_step"
    command = ["make", "-C", str(folder), "build/csim", "AP_TYPES=bounded", f"CXXFLAGS={flags}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:4000]
    return Kernel(design, folder / "build/csim")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {
            "engine": "adder",
            "act_bits": 4,
            "pe": 2,
            "simd": 64,
            "attention_lanes": 4,
            "norm_tokens": 4,
        },
        {"act_bits": 6, "simd": 64, "tokens": 2, "frames_in_flight": 1, "attention_rows": 5},
    ],
)
def test_no_deadlock_and_no_race(tmp_path, changes):
    vit = small_vit(dim=40, distilled=True)
    design = design_for([vit], **changes)
    kernel = compile_concurrent(tmp_path / "hls", design, "-O1 -g -pthread -fsanitize=thread")
    network = calibrated(vit, design.act_bits, 3)
    kernel.check(write_data(tmp_path / "data", design, network, pictures(vit, 3, 1)))


def test_a_queue_that_is_too_short_is_a_deadlock(tmp_path):
    """The scores of a row wait until its largest is known."""
    vit = small_vit(dim=40)
    design = design_for([vit])
    kernel = compile_concurrent(tmp_path / "hls", design, "-O0 -pthread", short="waiting")
    network = calibrated(vit, design.act_bits, 3)
    run = kernel.run(write_data(tmp_path / "data", design, network, pictures(vit, 1, 1)))
    assert run.code == 3 and run.err.startswith("deadlock: ")
