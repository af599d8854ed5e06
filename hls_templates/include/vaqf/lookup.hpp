/// Table engine: four activations have 16 subset sums; four weight bits are the address of one.
///
/// A pass is prepared by filling one table per four inputs and token, in Gray-code order, so that
/// each entry is the one before it plus or minus one activation. kShare tokens take turns at one
/// generator. Every output has a copy of all tables: a LUTRAM gives one look-up a cycle.
#pragma once

#include "vaqf/pragmas.hpp"
#include "vaqf/weights.hpp"

namespace vaqf {

constexpr int kPrepareSteps = kTableEntries * kShare;
static_assert(kTokens % kShare == 0, "token rows share generators evenly");

/// What one step prepares: an entry of every table of the tokens whose turn it is.
constexpr int kEntryGroups = kNibbles;
constexpr int kEntryRows = kTokens / kShare;
typedef ap_uint<kActBits + 2> entry_t;  ///< one subset sum

/// The entry that one step of a turn computes: Gray code.
constexpr int entry_of(int count) { return count ^ (count >> 1); }

/// One entry of every table, and in the end sum(a); each group of kTableEntries steps is the turn
/// of some tokens. What a step needs of the one before stays inside, so that a pipeline around the
/// function has nothing to wait for.
inline void prepare(const act_t slice[kSimd][kTokens], int step,
                    entry_t entries[kEntryGroups][kEntryRows], slice_sum_t total[kTokens]) {
#pragma HLS INLINE off
#pragma HLS PIPELINE II = 1
  static entry_t running[kEntryGroups][kEntryRows];
#pragma HLS ARRAY_PARTITION variable = running complete dim = 0
  const int turn = step / kTableEntries;
  const int count = step % kTableEntries;
  const int entry = entry_of(count);
  int bit = 0;  // that differs from the entry before
  if (count & 1) {
    bit = 0;
  } else if (count & 2) {
    bit = 1;
  } else if (count & 4) {
    bit = 2;
  } else {
    bit = 3;
  }
  const bool add = (entry >> bit) & 1;
  slice_sum_t sum[kEntryRows];
#pragma HLS ARRAY_PARTITION variable = sum complete
clear_sum_loop:
  for (int r = 0; r < kEntryRows; ++r) {
#pragma HLS UNROLL
    sum[r] = 0;
  }
prepare_group_loop:
  for (int g = 0; g < kNibbles; ++g) {
#pragma HLS UNROLL
  prepare_row_loop:
    for (int r = 0; r < kEntryRows; ++r) {
#pragma HLS UNROLL
      const act_t a = slice[4 * g + bit][r * kShare + turn];
      entry_t value = 0;
      if (count != 0) {
        const entry_t before = running[g][r];
        value = add ? entry_t(before + a) : entry_t(before - a);
      }
      running[g][r] = value;
      entries[g][r] = value;
      sum[r] += value;
    }
  }
  // the entries of all four inputs, summed over the tables, are sum(a)
  if (entry == kTableEntries - 1) {
  total_loop:
    for (int r = 0; r < kEntryRows; ++r) {
#pragma HLS UNROLL
      total[r * kShare + turn] = sum[r];
    }
  }
}

/// One output's sums of the activations whose weight bit is 1: one look-up per four inputs and
/// token in the pass's half of its tables, while `store` puts a step's entries into the half
/// `bank`. A function of its own with memories of its own, so that a tool schedules one output.
template <int Output>
void sum_subsets(const act_t[kSimd][kTokens], const entry_t entries[kEntryGroups][kEntryRows],
                 bool store, int step, int bank, const ap_uint<4> nibble[kNibbles],
                 slice_sum_t sum[kTokens]) {
#pragma HLS INLINE off
#pragma HLS PIPELINE II = 1
  static entry_t table[kNibbles][2 * kTableEntries][kTokens];
  VAQF_BIND_LUTRAM(table)
#pragma HLS ARRAY_PARTITION variable = table complete dim = 1
#pragma HLS ARRAY_PARTITION variable = table complete dim = 3
// a half is filled while the other is read
#pragma HLS DEPENDENCE variable = table inter false
clear_loop:
  for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
    sum[t] = 0;
  }
lookup_group_loop:
  for (int g = 0; g < kNibbles; ++g) {
#pragma HLS UNROLL
    const int address = (1 - bank) * kTableEntries + int(nibble[g]);
  lookup_row_loop:
    for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
      sum[t] += table[g][address][t];
    }
  }
  if (store) {
    const int turn = step / kTableEntries;
    const int place = bank * kTableEntries + entry_of(step % kTableEntries);
  store_group_loop:
    for (int g = 0; g < kNibbles; ++g) {
#pragma HLS UNROLL
    store_row_loop:
      for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
        if (t % kShare == turn) table[g][place][t] = entries[g][t / kShare];
      }
    }
  }
}

}  // namespace vaqf
