/// The attention engine: scores, softmax and context of all heads of one layer.
///
/// By head and group of kAttentionRows queries: one key in head_words / kHeadWords cycles, then as
/// many for its value. Scores of a group wait in a stream until their maximum is known. The
/// context has a memory of its own: in the place of q it would be a second process at q's memory.
#pragma once

#include "vaqf/banks.hpp"
#include "vaqf/layer_norm.hpp"
#include "vaqf/pragmas.hpp"
#include "vaqf/softmax.hpp"
#include "vaqf/trace.hpp"
#include "vaqf/weights.hpp"

namespace vaqf {

constexpr int kMaxHeadParts = kMaxHeadWords / kHeadWords;  ///< reads per head
static_assert(kMaxHeadWords % kHeadWords == 0, "a head is whole reads");

struct Scores {
  score_t row[kAttentionRows];
};

struct Exponents {
  exp_t row[kAttentionRows];
};

typedef ap_int<kContextBits> weighted_t;  ///< sum(e * v)
typedef ap_uint<kExpSumBits> exp_sum_t;   ///< sum(e)

/// sum(e * v) of one query, one part of the head's channels.
struct WeightedPart {
  weighted_t value[kAttentionLanes];
};

struct ExpSums {
  exp_sum_t row[kAttentionRows];
};

/// Queries of each head and group, part by part and row by row; rows behind the last token repeat
/// it.
inline void read_queries(count_t heads, count_t groups, count_t tokens, count_t head_parts,
                         count_t words, const ActWord q[kBanks][kAttentionDepth],
                         hls::stream<HeadWords>& queries) {
  const int stride = words_per_bank(words), parts = head_parts;
head_loop:
  for (int h = 0; h < int(heads); ++h) {
  group_loop:
    for (int g = 0; g < int(groups); ++g) {
      int part = 0, r = 0;
    query_loop:
      for (int i = 0; i < parts * kAttentionRows; ++i) {
#pragma HLS PIPELINE II = 1
        const int wanted = g * kAttentionRows + r;
        const int token = wanted < int(tokens) ? wanted : int(tokens) - 1;
        queries.write(read_run(q, token, (h * parts + part) * kHeadWords, stride));
        count_nested(r, kAttentionRows - 1, part);
      }
    }
  }
}

/// Dot product of one part of a query and a key.
inline score_t dot(const signed_act_t a[kAttentionLanes], const HeadWords& b) {
#pragma HLS INLINE
  score_t sum = 0;
dot_word_loop:
  for (int i = 0; i < kHeadWords; ++i) {
#pragma HLS UNROLL
  dot_lane_loop:
    for (int p = 0; p < kPe; ++p) {
#pragma HLS UNROLL
      const signed_act_t x = a[i * kPe + p], y = b.word[i].lane[p];
      sum += x * y;
    }
  }
  return sum;
}

/// q . k of every key for the queries of each head and group.
inline void score_keys(count_t heads, count_t groups, count_t tokens, count_t head_parts,
                       count_t words, const ActWord k[kBanks][kAttentionDepth],
                       hls::stream<HeadWords>& queries, hls::stream<Scores>& scores) {
  const int stride = words_per_bank(words), parts = head_parts;
  signed_act_t query[kMaxHeadParts][kAttentionRows][kAttentionLanes];
#pragma HLS ARRAY_PARTITION variable = query complete dim = 0
head_loop:
  for (int h = 0; h < int(heads); ++h) {
  group_loop:
    for (int g = 0; g < int(groups); ++g) {
      int part = 0, r = 0;
    query_loop:
      for (int i = 0; i < parts * kAttentionRows; ++i) {
#pragma HLS PIPELINE II = 1
        const HeadWords run = queries.read();
      query_lane_loop:
        for (int l = 0; l < kAttentionLanes; ++l) {
#pragma HLS UNROLL
          query[part][r][l] = run.word[l / kPe].lane[l % kPe];
        }
        count_nested(r, kAttentionRows - 1, part);
      }
      int key = 0;
      part = 0;
      Scores sum;
    key_loop:
      for (int i = 0; i < int(tokens) * parts; ++i) {
#pragma HLS PIPELINE II = 1
        const HeadWords run = read_run(k, key, (h * parts + part) * kHeadWords, stride);
      row_loop:
        for (int row = 0; row < kAttentionRows; ++row) {
#pragma HLS UNROLL
          const score_t before = part == 0 ? score_t(0) : sum.row[row];
          sum.row[row] = before + dot(query[part][row], run);
        }
        if (part == parts - 1) scores.write(sum);
        count_nested(part, parts - 1, key);
      }
    }
  }
}

/// Passes the scores on and, behind each group, its rows' maxima.
inline void find_maxima(int rounds, count_t tokens, hls::stream<Scores>& scores,
                        hls::stream<Scores>& waiting, hls::stream<Scores>& maxima) {
round_loop:
  for (int i = 0; i < rounds; ++i) {
    Scores top;
  key_loop:
    for (int key = 0; key < int(tokens); ++key) {
#pragma HLS PIPELINE II = 1
      const Scores s = scores.read();
    row_loop:
      for (int r = 0; r < kAttentionRows; ++r) {
#pragma HLS UNROLL
        if (key == 0 || s.row[r] > top.row[r]) top.row[r] = s.row[r];
      }
      waiting.write(s);
    }
    maxima.write(top);
  }
}

/// Softmax numerators, the row's maximum at full scale.
inline void weigh_keys(int rounds, count_t tokens, ap_uint<kScoreMultBits> mult, ap_uint<6> shift,
                       hls::stream<Scores>& waiting, hls::stream<Scores>& maxima,
                       hls::stream<Exponents>& weights) {
round_loop:
  for (int i = 0; i < rounds; ++i) {
    const Scores top = maxima.read();
  key_loop:
    for (int key = 0; key < int(tokens); ++key) {
#pragma HLS PIPELINE II = 1
      const Scores s = waiting.read();
      Exponents e;
    row_loop:
      for (int r = 0; r < kAttentionRows; ++r) {
#pragma HLS UNROLL
        const ap_uint<kScoreBits> delta = top.row[r] - s.row[r];
        e.row[r] = exponent(delta, mult, shift);
      }
      weights.write(e);
    }
  }
}

/// sum(e * v) and sum(e) over all keys, for each head and group; the sums go out row by row.
inline void sum_values(count_t heads, count_t groups, count_t tokens, count_t head_parts,
                       count_t words, const ActWord v[kBanks][kAttentionDepth],
                       hls::stream<Exponents>& weights, hls::stream<WeightedPart>& weighted,
                       hls::stream<ExpSums>& totals) {
  const int stride = words_per_bank(words), parts = head_parts;
  weighted_t sum[kMaxHeadParts][kAttentionRows][kAttentionLanes];
#pragma HLS ARRAY_PARTITION variable = sum complete dim = 0
head_loop:
  for (int h = 0; h < int(heads); ++h) {
  group_loop:
    for (int g = 0; g < int(groups); ++g) {
      ExpSums total;
      Exponents e;
      int key = 0, part = 0;
    key_loop:
      for (int i = 0; i < int(tokens) * parts; ++i) {
#pragma HLS PIPELINE II = 1
        if (part == 0) e = weights.read();
        const HeadWords run = read_run(v, key, (h * parts + part) * kHeadWords, stride);
      row_loop:
        for (int r = 0; r < kAttentionRows; ++r) {
#pragma HLS UNROLL
          if (part == 0) {
            const exp_sum_t before = key == 0 ? exp_sum_t(0) : total.row[r];
            total.row[r] = before + e.row[r];
          }
        channel_loop:
          for (int l = 0; l < kAttentionLanes; ++l) {
#pragma HLS UNROLL
            const signed_act_t x = run.word[l / kPe].lane[l % kPe];
            const weighted_t before = key == 0 ? weighted_t(0) : sum[part][r][l];
            sum[part][r][l] = before + e.row[r] * x;
          }
        }
        count_nested(part, parts - 1, key);
      }
      totals.write(total);
      int sent_part = 0, sent_row = 0;
    send_loop:
      for (int i = 0; i < parts * kAttentionRows; ++i) {
#pragma HLS PIPELINE II = 1
        WeightedPart out;
      send_lane_loop:
        for (int l = 0; l < kAttentionLanes; ++l) {
#pragma HLS UNROLL
          out.value[l] = sum[sent_part][sent_row][l];
        }
        weighted.write(out);
        count_nested(sent_row, kAttentionRows - 1, sent_part);
      }
    }
  }
}

/// Context = requantize(sum(e * v) / sum(e)).
inline void write_context(count_t heads, count_t groups, count_t tokens, count_t head_parts,
                          count_t words, ap_uint<6> shift, bool first_frame, int index,
                          hls::stream<WeightedPart>& weighted, hls::stream<ExpSums>& totals,
                          const Record records[kMaxAttention],
                          ActWord context[kBanks][kAttentionDepth]) {
  const int stride = words_per_bank(words), parts = head_parts;
head_loop:
  for (int h = 0; h < int(heads); ++h) {
  group_loop:
    for (int g = 0; g < int(groups); ++g) {
      const ExpSums total = totals.read();
      Floating factor[kAttentionRows];
#pragma HLS ARRAY_PARTITION variable = factor complete
    reciprocal_loop:
      for (int r = 0; r < kAttentionRows; ++r) {
#pragma HLS PIPELINE II = 1
        exp_sum_t own = total.row[0];
      own_total_loop:
        for (int other = 1; other < kAttentionRows; ++other) {
#pragma HLS UNROLL
          if (other == r) own = total.row[other];
        }
        factor[r] = reciprocal<kExpSumBits>(own);
      }
      int part = 0, r = 0;
    context_loop:
      for (int i = 0; i < parts * kAttentionRows; ++i) {
#pragma HLS PIPELINE II = 1
        const WeightedPart sum = weighted.read();
        const int token = g * kAttentionRows + r;
        // counted in runs, so that lane l of every run is seen to lie in bank l of the records
        const int place = h * parts + part;
        HeadWords run;
      channel_loop:
        for (int l = 0; l < kAttentionLanes; ++l) {
#pragma HLS UNROLL
          const Record record = records[place * kAttentionLanes + l];
          const operand_t mean = scale_by<kContextBits>(sum.value[l], factor[r]);
          const act_t a = requantize<kActBits + 1>(mean, record, shift, 0, kActMax);
          run.word[l / kPe].lane[l % kPe] = a;
          if (token < int(tokens)) {
            trace(first_frame, index, false, token, place * kAttentionLanes + l, int(a));
          }
        }
        if (token < int(tokens)) write_run(context, token, place * kHeadWords, stride, run);
        count_nested(r, kAttentionRows - 1, part);
      }
    }
  }
}

/// The six processes of one layer, each with one of its memories at most.
inline void attend(count_t heads, count_t groups, int rounds, count_t tokens, count_t parts,
                   count_t words, ap_uint<kScoreMultBits> score_mult, ap_uint<6> score_shift,
                   ap_uint<6> shift, int index, bool first_frame,
                   const Record records[kMaxAttention], const ActWord q[kBanks][kAttentionDepth],
                   const ActWord k[kBanks][kAttentionDepth],
                   const ActWord v[kBanks][kAttentionDepth],
                   ActWord context[kBanks][kAttentionDepth]) {
#pragma HLS DATAFLOW
  hls::stream<HeadWords> queries("queries");
  hls::stream<Scores> scores("scores");
  hls::stream<Scores> waiting("waiting");
  hls::stream<Scores> maxima("maxima");
  hls::stream<Exponents> exponents("exponents");
  hls::stream<WeightedPart> weighted("weighted");
  hls::stream<ExpSums> totals("totals");
#pragma HLS STREAM variable = queries depth = 2
#pragma HLS STREAM variable = scores depth = 4
#pragma HLS STREAM variable = waiting depth = kScoreDepth
#pragma HLS STREAM variable = maxima depth = 2
#pragma HLS STREAM variable = exponents depth = 4
#pragma HLS STREAM variable = weighted depth = 2
#pragma HLS STREAM variable = totals depth = 2
  read_queries(heads, groups, tokens, parts, words, q, queries);
  score_keys(heads, groups, tokens, parts, words, k, queries, scores);
  find_maxima(rounds, tokens, scores, waiting, maxima);
  weigh_keys(rounds, tokens, score_mult, score_shift, waiting, maxima, exponents);
  sum_values(heads, groups, tokens, parts, words, v, exponents, weighted, totals);
  write_context(heads, groups, tokens, parts, words, shift, first_frame, index, weighted, totals,
                records, context);
}

}  // namespace vaqf
