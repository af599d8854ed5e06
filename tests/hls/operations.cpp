/// Leaf operations of the library, one record of 64-bit integers in, one out.
///
///   operations < CASES > RESULTS
///
/// A block of cases is: operation, count, then `count` records of that operation.
#include <cstdint>
#include <cstdio>
#include <vector>

#include "vaqf/layer_norm.hpp"
#include "vaqf/masked_sum.hpp"
#include "vaqf/softmax.hpp"

namespace {

using namespace vaqf;
typedef std::vector<int64_t> Numbers;

bool get(int64_t* out, size_t count) { return std::fread(out, 8, count, stdin) == count; }

void put(int64_t value) { std::fwrite(&value, 8, 1, stdout); }

Record record(const int64_t* x) {
  Record r;
  r.mult = x[0];
  r.bias = x[1];
  return r;
}

/// value, mult, bias, shift, low, high
void run_requantize(const int64_t* x) {
  put(int(requantize<kLogitBits>(x[0], record(x + 1), x[3], x[4], x[5])));
}

/// dim, sum, squares, eps, x, mult, bias, shift
void run_layer_norm(const int64_t* x) {
  RowSums sums;
  sums.sum = x[1];
  sums.squares = x[2];
  const Normalizer row = normalizer(sums, x[0], x[3]);
  put(int(layer_norm(x[4], row, x[0], record(x + 5), x[7])));
}

/// delta, mult, shift
void run_exponent(const int64_t* x) { put(int(exponent(x[0], x[1], x[2]))); }

/// sum(e)
void run_reciprocal(const int64_t* x) {
  const Floating f = reciprocal<kExpSumBits>(x[0]);
  put(int(f.mantissa));
  put(int(f.exponent));
}

/// variance
void run_rsqrt(const int64_t* x) {
  const Floating f = rsqrt<kVarianceBits>(x[0]);
  put(int(f.mantissa));
  put(int(f.exponent));
}

/// sum(e * v), sum(e)
void run_mean(const int64_t* x) {
  put(int(scale_by<kContextBits>(x[0], reciprocal<kExpSumBits>(x[1]))));
}

/// a, b
void run_add(const int64_t* x) { put(int(saturating_add(x[0], x[1]))); }

struct Operation {
  size_t inputs;
  void (*run)(const int64_t*);
};

const Operation kOperations[] = {{6, run_requantize}, {8, run_layer_norm}, {3, run_exponent},
                                 {1, run_reciprocal}, {1, run_rsqrt},      {2, run_mean},
                                 {2, run_add}};

}  // namespace

int main() {
  int64_t head[2];
  while (get(head, 2)) {
    const Operation& operation = kOperations[head[0]];
    Numbers inputs(operation.inputs);
    for (int64_t i = 0; i < head[1]; ++i) {
      if (!get(inputs.data(), inputs.size())) return 1;
      operation.run(inputs.data());
    }
  }
  return 0;
}
