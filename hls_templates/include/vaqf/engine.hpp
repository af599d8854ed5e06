/// The binary engine: kTokens x kPe x kSimd multiply-accumulates per cycle.
///
/// One command is a sequence of passes: by token group, pixel digit and K slice. In each pass
/// every output word takes one cycle per weight plane. While a pass computes, the slice of the
/// pass after next is gathered, the next pass is prepared (lookup.hpp or masked_sum.hpp) and
/// weights arrive for later commands.
///   binary weights:  acc += 2 * S - sum(a)          S = sum of a where the weight bit is 1
///   bit plane i:     acc += (i == 7 ? -S : S) << (i + digit * kActBits)
#pragma once

#include "vaqf/weights.hpp"
#if VAQF_ENGINE_TABLE
#include "vaqf/lookup.hpp"
#else
#include "vaqf/masked_sum.hpp"
#endif

namespace vaqf {

/// Where a gather stands: slices come in the order in which they are computed.
struct Gather {
  int slice;   ///< K slice that is gathered
  int word;    ///< words of it that came
  bool ready;  ///< all of it
};

inline int words_of_slice(const Command& c, int slice) {
#pragma HLS INLINE
  const int rest = int(c.k_words) - slice * kSliceWords;
  return rest < kSliceWords ? rest : kSliceWords;
}

/// Puts one tile into a slice buffer; words beyond the inputs are 0.
inline void gather_step(const Command& c, Gather& gather, act_t slice[kSimd][kTokens],
                        hls::stream<ActTile>& tiles) {
#pragma HLS INLINE
  const bool inside = gather.word < words_of_slice(c, gather.slice);
  ActTile tile;
  if (inside) tile = tiles.read();
put_lane_loop:
  for (int p = 0; p < kPe; ++p) {
#pragma HLS UNROLL
  put_row_loop:
    for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
      slice[gather.word * kPe + p][t] = inside ? tile.row[t].lane[p] : act_t(0);
    }
  }
  ++gather.word;
  gather.ready = gather.word == kSliceWords;
}

/// Sums of the activations whose weight bit is 1.
inline AccTile subset_sums(
    const prepared_t prepared[kPreparedGroups][2 * kPreparedEntries][kTokens], int bank,
    const RingWord& weights) {
#pragma HLS INLINE
  AccTile result;
subset_output_loop:
  for (int p = 0; p < kPe; ++p) {
#pragma HLS UNROLL
    slice_sum_t sum[kTokens];
#pragma HLS ARRAY_PARTITION variable = sum complete
  clear_loop:
    for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
      sum[t] = 0;
    }
    add_subsets(prepared, bank, weights.nibble[p], sum);
  result_loop:
    for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
      result.value[t][p] = sum[t];
    }
  }
  return result;
}

/// Runs one matmul command; its weights lie in the ring from `base` on, and `missing` ring words of
/// them come first, to `write` and behind it. `prefetch` more come while it runs.
inline void binary_engine(packed_command_t packed, ap_uint<32> base, ap_uint<32> write,
                          ap_uint<32> missing, ap_uint<32> prefetch, RingRow ring[kPe][kRingWords],
                          hls::stream<weight_word_t>& fill, hls::stream<ActTile>& tiles,
                          hls::stream<AccTile>& accs) {
  const Command c = decode(packed);
  static AccTile partial[kPartialWords];
  VAQF_BIND_BRAM(partial)
  VAQF_AGGREGATE(partial)
  static act_t slices[2][kSimd][kTokens];
#pragma HLS ARRAY_PARTITION variable = slices complete dim = 0
  static prepared_t prepared[kPreparedGroups][2 * kPreparedEntries][kTokens];
  VAQF_BIND_PREPARED(prepared)
#pragma HLS ARRAY_PARTITION variable = prepared complete dim = 1
#pragma HLS ARRAY_PARTITION variable = prepared complete dim = 3
  static slice_sum_t sums[2][kTokens];
#pragma HLS ARRAY_PARTITION variable = sums complete dim = 0

  weight_word_t pending[kWordsPerRingWord];
#pragma HLS ARRAY_PARTITION variable = pending complete
  RingWriter writer;
  writer.position = write;
  writer.part = 0;
missing_loop:
  for (int i = 0; i < int(missing) * kWordsPerRingWord; ++i) {
#pragma HLS PIPELINE II = 1
    put_word(ring, writer, pending, fill.read());
  }

  const int groups = ceil_div(c.tokens, kTokens);
  const int slices_per_row = ceil_div(c.k_words, kSliceWords);
  const int passes = groups * int(c.digits) * slices_per_row;
  const int words = c.n_words;
  const int interval = words < kMinInterval ? kMinInterval : words;
  int to_fill = int(prefetch) * kWordsPerRingWord;

  Gather gather = {0, 0, false};
first_gather_loop:
  for (int i = 0; i < kSliceWords; ++i) {
#pragma HLS PIPELINE II = 1
    gather_step(c, gather, slices[0], tiles);
  }
first_prepare_loop:
  for (int step = 0; step < kPrepareSteps; ++step) {
#pragma HLS PIPELINE II = 1
    prepare_step(slices[0], prepared, 0, sums[0], step);
  }
  gather.slice = slices_per_row == 1 ? 0 : 1;
  gather.word = 0;
  gather.ready = false;
  if (passes > 1) {
  second_gather_loop:
    for (int i = 0; i < kSliceWords; ++i) {
#pragma HLS PIPELINE II = 1
      gather_step(c, gather, slices[1], tiles);
    }
  }

  int digit = 0, slice = 0;
pass_loop:
  for (int pass = 0; pass < passes; ++pass) {
    const bool first_pass = digit == 0 && slice == 0;
    const bool last_pass = digit == int(c.digits) - 1 && slice == slices_per_row - 1;
    const bool next = pass + 1 < passes, after_next = pass + 2 < passes;
    const int bank = pass & 1;
    int step = 0;
    gather.slice = gather.slice == slices_per_row - 1 ? 0 : gather.slice + 1;
    gather.word = 0;
    gather.ready = false;
    int n = 0, plane = 0;
    // the highest plane comes first in the ring, plane 0 is used first
    ap_uint<32> plane_start = base + c.weight_words - (slices_per_row - slice) * words;
    if (plane_start >= kRingWords) plane_start -= kRingWords;
    ap_uint<32> address = plane_start;
  cycle_loop:
    for (int i = 0; i < interval * int(c.planes); ++i) {
#pragma HLS PIPELINE II = 1
// an output word comes back after kMinInterval cycles or more
#pragma HLS DEPENDENCE variable = partial inter RAW distance = kMinInterval true
// the ring is filled where no command that runs reads; a bank is prepared while the other is read
#pragma HLS DEPENDENCE variable = ring inter false
#pragma HLS DEPENDENCE variable = prepared inter false
#pragma HLS DEPENDENCE variable = slices inter false
      if (n < words) {
        RingWord weights;
      weight_row_loop:
        for (int p = 0; p < kPe; ++p) {
#pragma HLS UNROLL
          const RingRow row = ring[p][address];
        weight_nibble_loop:
          for (int g = 0; g < kNibbles; ++g) {
#pragma HLS UNROLL
            weights.nibble[p][g] = row.nibble[g];
          }
        }
        address = address == kRingWords - 1 ? ap_uint<32>(0) : ap_uint<32>(address + 1);
        const AccTile part = subset_sums(prepared, bank, weights);
        const bool first = first_pass && plane == 0;
        const bool last = last_pass && plane == int(c.planes) - 1;
        AccTile acc;
        const AccTile before = partial[last && first ? 0 : n];
      row_loop:
        for (int t = 0; t < kTokens; ++t) {
#pragma HLS UNROLL
        output_loop:
          for (int p = 0; p < kPe; ++p) {
#pragma HLS UNROLL
            const acc_t s = part.value[t][p];
            acc_t value = 0;
            if (c.planes == 1) {
              value = 2 * s - sums[bank][t];
            } else {
              const acc_t shifted = s << (plane + digit * kActBits);
              value = plane == kFixedWeightBits - 1 ? acc_t(-shifted) : shifted;
            }
            const acc_t base = first ? acc_t(0) : before.value[t][p];
            acc.value[t][p] = base + value;
          }
        }
        if (last) {
          accs.write(acc);
        } else {
          partial[n] = acc;
        }
      }
      if (n == interval - 1) {
        const ap_uint<32> back = slices_per_row * words;
        plane_start = plane_start < back ? ap_uint<32>(plane_start + kRingWords - back)
                                         : ap_uint<32>(plane_start - back);
        address = plane_start;
      }
      count_nested(n, interval - 1, plane);
      if (after_next && !gather.ready) gather_step(c, gather, slices[bank], tiles);
      if (next && step < kPrepareSteps) {
        prepare_step(slices[1 - bank], prepared, 1 - bank, sums[1 - bank], step);
        ++step;
      }
      if (to_fill > 0 && !fill.empty()) {
        put_word(ring, writer, pending, fill.read());
        --to_fill;
      }
    }
  finish_gather_loop:
    while (after_next && !gather.ready) {
#pragma HLS PIPELINE II = 1
      gather_step(c, gather, slices[bank], tiles);
    }
  finish_prepare_loop:
    while (next && step < kPrepareSteps) {
#pragma HLS PIPELINE II = 1
      prepare_step(slices[1 - bank], prepared, 1 - bank, sums[1 - bank], step);
      ++step;
    }
    if (slice == slices_per_row - 1) {
      slice = 0;
      digit = digit == int(c.digits) - 1 ? 0 : digit + 1;
    } else {
      ++slice;
    }
  }
drain_loop:
  for (int i = 0; i < to_fill; ++i) {
#pragma HLS PIPELINE II = 1
    put_word(ring, writer, pending, fill.read());
  }
}

}  // namespace vaqf
