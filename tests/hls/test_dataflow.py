"""Dataflow regions with a thread per process and streams as deep as their pragmas say.

C simulation runs the processes of a region one after the other on unbounded queues, so it sees
neither a deadlock nor two processes that touch one memory word in an order that only the clock
decides. Here the processes run at the same time: a deadlock times out, and the thread sanitizer
reports any two accesses that no stream orders. The two engines of a step run at the same time, too.
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
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <thread>
namespace hls {
template <class T>
class stream {
 public:
  stream(const char* name, size_t depth) : name_(name), depth_(depth) {}
  ~stream() {
    if (!items_.empty()) fail("left over");
  }
  bool empty() {
    std::lock_guard<std::mutex> lock(mutex_);
    return items_.empty();
  }
  void write(const T& item) {
    std::unique_lock<std::mutex> lock(mutex_);
    if (!changed_.wait_for(lock, limit(), [&] { return items_.size() < depth_; })) fail("full");
    items_.push_back(item);
    changed_.notify_all();
  }
  T read() {
    std::unique_lock<std::mutex> lock(mutex_);
    if (!changed_.wait_for(lock, limit(), [&] { return !items_.empty(); })) fail("empty");
    const T item = items_.front();
    items_.pop_front();
    changed_.notify_all();
    return item;
  }

 private:
  static std::chrono::seconds limit() { return std::chrono::seconds(20); }
  void fail(const char* how) {
    std::fprintf(stderr, "deadlock: stream %s stays %s\\n", name_, how);
    std::_Exit(3);
  }
  const char* name_;
  const size_t depth_;
  std::deque<T> items_;
  std::mutex mutex_;
  std::condition_variable changed_;
};
}  // namespace hls
"""
REGION = re.compile(r"(#pragma HLS DATAFLOW\n)(.*?)(\n}\n)", re.DOTALL)
STREAM = re.compile(r'(hls::stream<\w+>) (\w+)\("\w+"\);')
DEPTH = re.compile(r"#pragma HLS STREAM variable = (\w+) depth = (\w+)\n")
ENGINES = re.compile(r"( +run_matmuls\([^;]*\);)\n +(run_attention\([^;]*\));")
CALL = re.compile(r"^  ([a-z]\w*\([^;]*\));", re.MULTILINE)


def concurrent(source: str) -> tuple[str, int]:
    """The source with whatever hardware runs at the same time in threads; how many those are."""
    count = 0

    def region(match: re.Match[str]) -> str:
        nonlocal count
        body = match[2]
        depths = dict(DEPTH.findall(body))
        body = STREAM.sub(lambda m: f'{m[1]} {m[2]}("{m[2]}", {depths.pop(m[2])});', body)
        assert not depths, f"depth of no stream: {depths}"
        body, calls = CALL.subn(r"  run.emplace_back([&] { \1; });", DEPTH.sub("", body))
        count += calls
        start = "  std::vector<std::thread> run;\n"
        return start + body + "\n  for (std::thread& process : run) process.join();" + match[3]

    source, steps = ENGINES.subn(
        r"std::thread attention_engine([&] { \2; });\n\1\nattention_engine.join();", source
    )
    source = REGION.sub(region, source)
    return "#include <thread>\n#include <vector>\n" + source, count + steps


def compile_concurrent(folder: Path, design, flags: str) -> Kernel:
    hls.write_kernel(design, "test", folder)
    types = folder / "bounded"
    types.mkdir()
    shutil.copy(folder / "include/native/ap_int.h", types)
    (types / "hls_stream.h").write_text(BOUNDED_STREAM)
    threads = 0
    for header in (folder / "include/vaqf").glob("*.hpp"):
        text, count = concurrent(header.read_text())
        threads += count
        if count:
            header.write_text(text)
    assert threads == 8 + 6 + 2 + 2, "matmul, attend, load_context_records, the engines' branches"
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
