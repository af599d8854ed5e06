/// The attention engine: scores, softmax and context of all heads of one layer.
///
/// By head and group of kAttentionRows queries: one key in head_words / kHeadWords cycles, then as
/// many for its value. Scores of a group wait in a stream until their maximum is known. The
/// context overwrites q: a group's queries are read before its context is written.
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

/// One run of head words for each query of a group.
struct QueryRuns {
  HeadWords row[kAttentionRows];
};

struct Scores {
  score_t row[kAttentionRows];
};

struct Exponents {
  exp_t row[kAttentionRows];
};

typedef ap_int<kContextBits> weighted_t;  ///< sum(e * v)
typedef ap_uint<kExpSumBits> exp_sum_t;   ///< sum(e)

/// sum(e * v) of a group, one part of the head's channels.
struct WeightedPart {
  weighted_t value[kAttentionRows][kHeadWords * kPe];
};

struct ExpSums {
  exp_sum_t row[kAttentionRows];
};

inline int query_groups(const Command& c) {
#pragma HLS INLINE
  return ceil_div(c.tokens, kAttentionRows);
}

/// Queries of each head and group, part by part; rows behind the last token repeat it.
inline void read_queries(const Command& c, const ActWord q[kBanks][kAttentionDepth],
                         hls::stream<QueryRuns>& queries) {
  const int stride = words_per_bank(c.n_words);
  const int parts = int(c.head_words) / kHeadWords;
head_loop:
  for (int h = 0; h < int(c.heads); ++h) {
  group_loop:
    for (int g = 0; g < query_groups(c); ++g) {
    part_loop:
      for (int part = 0; part < parts; ++part) {
        QueryRuns runs;
      row_loop:
        for (int r = 0; r < kAttentionRows; ++r) {
#pragma HLS PIPELINE II = 1
          const int wanted = g * kAttentionRows + r;
          const int token = wanted < int(c.tokens) ? wanted : int(c.tokens) - 1;
          runs.row[r] = read_run(q, token, h * int(c.head_words) + part * kHeadWords, stride);
        }
        queries.write(runs);
      }
    }
  }
}

/// Dot products of one part of a query and a key.
inline score_t dot(const HeadWords& a, const HeadWords& b) {
#pragma HLS INLINE
  score_t sum = 0;
dot_word_loop:
  for (int i = 0; i < kHeadWords; ++i) {
#pragma HLS UNROLL
  dot_lane_loop:
    for (int p = 0; p < kPe; ++p) {
#pragma HLS UNROLL
      const signed_act_t x = a.word[i].lane[p], y = b.word[i].lane[p];
      sum += x * y;
    }
  }
  return sum;
}

/// q . k of every key for the queries of each head and group.
inline void score_keys(const Command& c, const ActWord k[kBanks][kAttentionDepth],
                       hls::stream<QueryRuns>& queries, hls::stream<Scores>& scores) {
  const int stride = words_per_bank(c.n_words);
  const int parts = int(c.head_words) / kHeadWords;
head_loop:
  for (int h = 0; h < int(c.heads); ++h) {
  group_loop:
    for (int g = 0; g < query_groups(c); ++g) {
      QueryRuns group[kMaxHeadParts];
#pragma HLS ARRAY_PARTITION variable = group complete
    query_loop:
      for (int part = 0; part < parts; ++part) group[part] = queries.read();
    key_loop:
      for (int key = 0; key < int(c.tokens); ++key) {
        Scores sum;
      part_loop:
        for (int part = 0; part < parts; ++part) {
#pragma HLS PIPELINE II = 1
          const HeadWords run = read_run(k, key, h * int(c.head_words) + part * kHeadWords, stride);
        row_loop:
          for (int r = 0; r < kAttentionRows; ++r) {
#pragma HLS UNROLL
            const score_t before = part == 0 ? score_t(0) : sum.row[r];
            sum.row[r] = before + dot(group[part].row[r], run);
          }
          if (part == parts - 1) scores.write(sum);
        }
      }
    }
  }
}

/// Passes the scores on and, behind each group, its rows' maxima.
inline void find_maxima(const Command& c, hls::stream<Scores>& scores, hls::stream<Scores>& waiting,
                        hls::stream<Scores>& maxima) {
  const int rounds = int(c.heads) * query_groups(c);
round_loop:
  for (int i = 0; i < rounds; ++i) {
    Scores top;
  key_loop:
    for (int key = 0; key < int(c.tokens); ++key) {
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
inline void weigh_keys(const Command& c, hls::stream<Scores>& waiting, hls::stream<Scores>& maxima,
                       hls::stream<Exponents>& weights) {
  const int rounds = int(c.heads) * query_groups(c);
round_loop:
  for (int i = 0; i < rounds; ++i) {
    const Scores top = maxima.read();
  key_loop:
    for (int key = 0; key < int(c.tokens); ++key) {
#pragma HLS PIPELINE II = 1
      const Scores s = waiting.read();
      Exponents e;
    row_loop:
      for (int r = 0; r < kAttentionRows; ++r) {
#pragma HLS UNROLL
        const ap_uint<kScoreBits> delta = top.row[r] - s.row[r];
        e.row[r] = exponent(delta, c.score_mult, c.score_shift);
      }
      weights.write(e);
    }
  }
}

/// sum(e * v) and sum(e) over all keys, for each head and group.
inline void sum_values(const Command& c, const ActWord v[kBanks][kAttentionDepth],
                       hls::stream<Exponents>& weights, hls::stream<WeightedPart>& weighted,
                       hls::stream<ExpSums>& totals) {
  const int stride = words_per_bank(c.n_words);
  const int parts = int(c.head_words) / kHeadWords;
head_loop:
  for (int h = 0; h < int(c.heads); ++h) {
  group_loop:
    for (int g = 0; g < query_groups(c); ++g) {
      WeightedPart sum[kMaxHeadParts];
#pragma HLS ARRAY_PARTITION variable = sum complete dim = 0
      ExpSums total;
      Exponents e;
    key_loop:
      for (int key = 0; key < int(c.tokens); ++key) {
      part_loop:
        for (int part = 0; part < parts; ++part) {
#pragma HLS PIPELINE II = 1
          if (part == 0) e = weights.read();
          const HeadWords run = read_run(v, key, h * int(c.head_words) + part * kHeadWords, stride);
        row_loop:
          for (int r = 0; r < kAttentionRows; ++r) {
#pragma HLS UNROLL
            if (part == 0) {
              const exp_sum_t before = key == 0 ? exp_sum_t(0) : total.row[r];
              total.row[r] = before + e.row[r];
            }
          channel_loop:
            for (int l = 0; l < kHeadWords * kPe; ++l) {
#pragma HLS UNROLL
              const signed_act_t x = run.word[l / kPe].lane[l % kPe];
              const weighted_t before = key == 0 ? weighted_t(0) : sum[part].value[r][l];
              sum[part].value[r][l] = before + e.row[r] * x;
            }
          }
        }
      }
      totals.write(total);
    send_loop:
      for (int part = 0; part < parts; ++part) weighted.write(sum[part]);
    }
  }
}

/// Context = requantize(sum(e * v) / sum(e)), written in the place of q.
inline void write_context(const Command& c, bool first_frame, int index,
                          hls::stream<WeightedPart>& weighted, hls::stream<ExpSums>& totals,
                          const Record records[kMaxAttention], ActWord q[kBanks][kAttentionDepth]) {
  const int stride = words_per_bank(c.n_words);
  const int parts = int(c.head_words) / kHeadWords;
head_loop:
  for (int h = 0; h < int(c.heads); ++h) {
  group_loop:
    for (int g = 0; g < query_groups(c); ++g) {
      const ExpSums total = totals.read();
      Floating factor[kAttentionRows];
    reciprocal_loop:
      for (int r = 0; r < kAttentionRows; ++r) {
#pragma HLS PIPELINE II = 1
        factor[r] = reciprocal<kExpSumBits>(total.row[r]);
      }
    part_loop:
      for (int part = 0; part < parts; ++part) {
        const WeightedPart sum = weighted.read();
        const int first = (h * int(c.head_words) + part * kHeadWords) * kPe;
      row_loop:
        for (int r = 0; r < kAttentionRows; ++r) {
#pragma HLS PIPELINE II = 1
          const int token = g * kAttentionRows + r;
          HeadWords run;
        channel_loop:
          for (int l = 0; l < kHeadWords * kPe; ++l) {
#pragma HLS UNROLL
            const operand_t mean = scale_by<kContextBits>(sum.value[r][l], factor[r]);
            const act_t a = requantize<kActBits + 1>(mean, records[first + l], c.shift, 0, kActMax);
            run.word[l / kPe].lane[l % kPe] = a;
            if (token < int(c.tokens)) trace(first_frame, index, false, token, first + l, int(a));
          }
          if (token < int(c.tokens)) write_run(q, token, first / kPe, stride, run);
        }
      }
    }
  }
}

/// The six processes of one layer.
inline void attend(const Command& c, int index, bool first_frame,
                   const Record records[kMaxAttention], ActWord q[kBanks][kAttentionDepth],
                   const ActWord k[kBanks][kAttentionDepth],
                   const ActWord v[kBanks][kAttentionDepth]) {
#pragma HLS DATAFLOW
  hls::stream<QueryRuns> queries("queries");
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
  read_queries(c, q, queries);
  score_keys(c, k, queries, scores);
  find_maxima(c, scores, waiting, maxima);
  weigh_keys(c, waiting, maxima, exponents);
  sum_values(c, v, exponents, weighted, totals);
  write_context(c, first_frame, index, weighted, totals, records, q);
}

}  // namespace vaqf
