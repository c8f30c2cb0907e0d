// Chapter 05, attention over keys and values that a cache stores smaller than `real`.
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

}  // namespace

size_t stored_attention_scratch_size(CacheType type, size_t keys, size_t heads, size_t head_dim) {
  if (type == CacheType::f32) return attention_scratch_size(keys);
  return Part::size(std::max(keys, stored_part), heads, head_dim);
}

void attention_forward(View<const real, 3> q, const StoredHeads& k, const StoredHeads& v,
                       std::span<const std::int32_t> first_key, View<real, 3> out, View<real, 2> log_sum_exp,
                       std::span<real> scratch) {
  if (!k.is_narrow()) return attention_forward(q, k.numbers(), v.numbers(), first_key, out, log_sum_exp, scratch);
  const size_t T = q.shape(0), H = q.shape(1), Dh = q.shape(2), S = k.shape(0), G = k.shape(1);
  require(v.shape() == k.shape() && k.shape(2) == Dh, "attention", "q, k and v differ in shape");
  require(G > 0 && H % G == 0, "attention", "the key/value heads must divide the query heads");
  require(T > 0 && T <= S, "attention", "there are no queries, or more than keys");
  require(scratch.size() >= stored_attention_scratch_size(k.type(), S, H, Dh), "attention",
          "the scratch memory is too small");
  require_shape("attention_forward: out", out, q.shape());
  require_shape("attention_forward: log_sum_exp", log_sum_exp, Shape<2>{T, H});
  // A single query's keys begin at its first_key; of several queries each has its own, which is passed on.
  const size_t first = T == 1 && !first_key.empty() ? static_cast<size_t>(first_key[0]) : 0;
  require(first < S, "attention", "a first_key is negative or in the future");
  if (T == 1) first_key = {};
  for (size_t begin = first; begin < S;) {
    const Range keys = {begin, T == 1 ? std::min(begin + stored_part, S) : S};
    for (size_t g = 0; g < G; ++g) {
      const Range heads = Range{g, g + 1} * (H / G);
      const Part part(scratch, keys.size(), heads.size(), Dh);
      k.rows(keys).columns({g, g + 1}).widen(part.k);
      v.rows(keys).columns({g, g + 1}).widen(part.v);
      const View<const real, 3> Q = q.columns(heads);
      const View<real, 3> O = out.columns(heads);
      const View<real, 2> L = log_sum_exp.columns(heads);
      if (begin == first) {
        attention_forward(Q, part.k, part.v, first_key, O, L, part.scratch);
        continue;
      }
      attention_forward(Q, part.k, part.v, first_key, part.out, part.log_sum_exp, part.scratch);
      for (size_t h = 0; h < heads.size(); ++h) join(part.out[0][h], part.log_sum_exp(0, h), O[0][h], L(0, h));
    }
    begin = keys.end;
  }
}

}  // namespace cria
