// Chapter 05, attention over keys and values as a cache stores them: smaller than `real`, or in blocks.
//
// Attention itself is attention.cpp's: here is only what it sees of the cache at a time, and how parts are joined.
#include <algorithm>
#include <cmath>

#include "chapters/05-attention/attention.hpp"
#include "lib/base/check.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {
namespace {

/// Memory for a part of the keys of one group: what they are, and what attention over them gives.
struct Part {
  View<real, 3> k, v;         // (keys, 1, Dh)
  View<real, 3> out;          // (1, H, Dh)
  View<real, 2> log_sum_exp;  // (1, H)
  std::span<real> scratch;

  static size_t size(size_t keys, size_t heads, size_t head_dim) {
    return 2 * keys * head_dim + heads * (head_dim + 1) + attention_scratch_size(keys);
  }
  Part(std::span<real> memory, size_t keys, size_t heads, size_t head_dim) {
    require(memory.size() >= size(keys, heads, head_dim), "attention", "the scratch memory is too small");
    const auto take = [&]<size_t N>(View<real, N>& view, const Shape<N>& shape) {
      view = {memory, shape};
      memory = memory.subspan(element_count(shape));
    };
    take(k, {keys, 1, head_dim}), take(v, {keys, 1, head_dim});
    take(out, {1, heads, head_dim}), take(log_sum_exp, {1, heads});
    scratch = memory;
  }
};

/// out and log_sum_exp of a head, over some keys, become those over these and a part's: with Z = Σ exp(score), the mean
/// over both is the mean of both means with weights Z.
void join(View<const real, 1> part_out, real part_log_sum_exp, View<real, 1> out, real& log_sum_exp) {
  const real part_share = 1 / (1 + std::exp(log_sum_exp - part_log_sum_exp));  // Z_part / (Z + Z_part)
  noalias(out) += (part_out - out) * part_share;
  const real apart = std::abs(log_sum_exp - part_log_sum_exp);
  log_sum_exp = std::max(log_sum_exp, part_log_sum_exp) + std::log1p(std::exp(-apart));
}

void attend_together(View<const real, 3> q, const StoredHeads& k, const StoredHeads& v,
                     std::span<const std::int32_t> first_key, View<real, 3> out, View<real, 2> log_sum_exp,
                     std::span<real> scratch) {
  const size_t H = q.shape(1), Dh = q.shape(2), S = k.shape(0), G = k.shape(1);
  if (k.is_in_place() && v.is_in_place())
    return attention_forward(q, k.numbers(), v.numbers(), first_key, out, log_sum_exp, scratch);
  for (size_t g = 0; g < G; ++g) {
    const Range heads = Range{g, g + 1} * (H / G);
    const Part part(scratch, S, heads.size(), Dh);
    k.columns({g, g + 1}).widen(part.k);
    v.columns({g, g + 1}).widen(part.v);
    attention_forward(q.columns(heads), part.k, part.v, first_key, out.columns(heads), log_sum_exp.columns(heads),
                      part.scratch);
  }
}

/// Some heads of all queries over the keys begin … of a part, which are those of all that are joined so far plus these.
/// Query t sees the first seen(t) of them.
template <class Seen>
void attend_to_part(View<const real, 3> q, View<const real, 3> k, View<const real, 3> v, const Part& part, bool first,
                    Seen seen, View<real, 3> out, View<real, 2> log_sum_exp) {
  for (size_t t = 0; t < q.shape(0); ++t) {
    const size_t count = seen(t);
    if (count == 0) continue;
    const Range row = {t, t + 1}, keys = {0, count};
    if (first) {
      attention_forward(q.rows(row), k.rows(keys), v.rows(keys), {}, out.rows(row), log_sum_exp.rows(row),
                        part.scratch);
      continue;
    }
    attention_forward(q.rows(row), k.rows(keys), v.rows(keys), {}, part.out, part.log_sum_exp, part.scratch);
    for (size_t h = 0; h < q.shape(1); ++h) join(part.out[0][h], part.log_sum_exp(0, h), out[t][h], log_sum_exp(t, h));
  }
}

/// Each query as if it were alone. Keys come in the outer loop, so that what was widened serves all queries.
void attend_apart(View<const real, 3> q, const StoredHeads& k, const StoredHeads& v, size_t first, View<real, 3> out,
                  View<real, 2> log_sum_exp, std::span<real> scratch) {
  const size_t T = q.shape(0), H = q.shape(1), Dh = q.shape(2), S = k.shape(0), G = k.shape(1);
  for (size_t begin = first; begin < S; begin += stored_part) {
    const Range keys = {begin, std::min(begin + stored_part, S)};
    const StoredHeads K = k.rows(keys), V = v.rows(keys);
    const auto seen = [&](size_t t) {
      const size_t end = std::min(S - T + t + 1, keys.end);
      return end > begin ? end - begin : 0;
    };
    if (K.is_in_place() && V.is_in_place()) {
      if (T == 1 && keys.size() == S - first)  // all of them, as a rule of a short text
        return attention_forward(q, K.numbers(), V.numbers(), {}, out, log_sum_exp, scratch);
      const Part part(scratch, 0, H, Dh);
      attend_to_part(q, K.numbers(), V.numbers(), part, begin == first, seen, out, log_sum_exp);
      continue;
    }
    for (size_t g = 0; g < G; ++g) {
      const Range heads = Range{g, g + 1} * (H / G);
      const Part part(scratch, keys.size(), heads.size(), Dh);
      K.columns({g, g + 1}).widen(part.k);
      V.columns({g, g + 1}).widen(part.v);
      attend_to_part(q.columns(heads), part.k, part.v, part, begin == first, seen, out.columns(heads),
                     log_sum_exp.columns(heads));
    }
  }
}

}  // namespace

size_t stored_attention_scratch_size(CacheType type, size_t keys, size_t heads, size_t head_dim) {
  if (type != CacheType::f32) return Part::size(std::max(keys, stored_part), heads, head_dim);
  const size_t of_a_part = keys > stored_part ? Part::size(stored_part, heads, head_dim) : 0;
  return std::max(attention_scratch_size(keys), of_a_part);
}

void attention_forward(View<const real, 3> q, const StoredHeads& k, const StoredHeads& v,
                       std::span<const std::int32_t> first_key, View<real, 3> out, View<real, 2> log_sum_exp,
                       std::span<real> scratch, Rows rows) {
  const size_t T = q.shape(0), H = q.shape(1), Dh = q.shape(2), S = k.shape(0), G = k.shape(1);
  require(v.shape() == k.shape() && k.shape(2) == Dh, "attention", "q, k and v differ in shape");
  require(G > 0 && H % G == 0, "attention", "the key/value heads must divide the query heads");
  require(T > 0 && T <= S, "attention", "there are no queries, or more than keys");
  require(scratch.size() >= stored_attention_scratch_size(k.type(), S, H, Dh), "attention",
          "the scratch memory is too small");
  require_shape("attention_forward: out", out, q.shape());
  require_shape("attention_forward: log_sum_exp", log_sum_exp, Shape<2>{T, H});
  if (T > 1 && rows == Rows::together) return attend_together(q, k, v, first_key, out, log_sum_exp, scratch);
  require(T == 1 || first_key.empty(), "attention", "queries apart see from key 0");
  const size_t first = first_key.empty() ? 0 : static_cast<size_t>(first_key[0]);
  require(first < S, "attention", "a first_key is negative or in the future");
  attend_apart(q, k, v, first, out, log_sum_exp, scratch);
}

}  // namespace cria
