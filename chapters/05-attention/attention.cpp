// Chapter 05, attention forward and backward. The T x S matrix of scores never exists: a tile of query rows at a time
// is computed, used and overwritten, and backward computes it again (Dao et al. 2022, arXiv:2205.14135, section 3). A
// tile is as wide as the keys it sees, so a row's softmax is done in one piece; there is no running rescale as on a
// GPU.
#include "chapters/05-attention/attention.hpp"

#include <algorithm>
#include <cmath>

#include "lib/base/check.hpp"
#include "lib/simd/primitives.hpp"

namespace cria {
namespace {

// More rows make the products larger, fewer leave less to mask on the diagonal. Of 16 … 128 this was the fastest for a
// context of 256, with heads of width 8 and of 48.
constexpr size_t tile_rows = 32;

/// Which keys row t sees: begin(t) … end(t) - 1. Rows after the last query see what it sees.
struct Visible {
  size_t queries, keys;
  std::span<const std::int32_t> first_key;

  size_t begin(size_t t) const {
    return first_key.empty() ? 0 : static_cast<size_t>(first_key[std::min(t, queries - 1)]);
  }
  size_t end(size_t t) const { return keys - queries + std::min(t + 1, queries); }
};

/// Rows begin … end - 1 and the keys that at least one of them sees; what lies outside is never computed. The matrices
/// of a tile, such as its scores, are (rows, keys).
struct Tile {
  size_t begin, end, first_key, end_key;

  Tile(const Visible& visible, size_t from, size_t row_count)
      : begin(from), end(std::min(from + tile_rows, row_count)) {
    end_key = visible.end(end - 1);
    first_key = end_key;
    for (size_t t = begin; t < end; ++t) first_key = std::min(first_key, visible.begin(t));
  }
  size_t rows() const { return end - begin; }
  size_t keys() const { return end_key - first_key; }
};

/// The rows from `row` on of one head, as a matrix (…, Dh).
simd::Matrix head_rows(View<const real, 3> x, size_t row, size_t head) { return {&x(row, head, 0), x.stride(0)}; }

/// The H heads of a single query as H/G rows of G heads, by other strides on the same memory. The heads of a group see
/// the same keys, so as rows of one tile they share a product: decoding reads k and v once, not H/G times.
template <class T>
View<T, 3> heads_as_rows(View<T, 3> x, size_t G) {
  const size_t rows = x.shape(1) / G, Dh = x.shape(2);
  return {x.data(), {rows, G, Dh}, {Dh, rows * Dh, 1}};
}

template <class T, size_t N>
void require_rows(const char* what, View<T, N> x, const Shape<N>& shape) {
  require_shape(what, x, shape);
  require(x.empty() || x[0].contiguous(), what, "only the first axis may have gaps");
}

/// Everything that forward and backward both check.
Visible checked_sizes(View<const real, 3> q, View<const real, 3> k, View<const real, 3> v,
                      std::span<const std::int32_t> first_key, std::span<real> scratch) {
  const size_t T = q.shape(0), H = q.shape(1), Dh = q.shape(2), S = k.shape(0), G = k.shape(1);
  require(H > 0 && G > 0 && H % G == 0, "attention", "the key/value heads must divide the query heads");
  require(Dh > 0, "attention", "a head has no width");
  require(T <= S, "attention", "there are more queries than keys");
  require_rows("attention: q", q, {T, H, Dh});
  require_rows("attention: k", k, {S, G, Dh});
  require_rows("attention: v", v, {S, G, Dh});
  require(scratch.size() >= attention_scratch_size(S), "attention", "the scratch memory is too small");
  require(first_key.empty() || first_key.size() == T, "attention", "first_key has another length than q");
  const Visible visible{T, S, first_key};
  for (size_t t = 0; t < first_key.size(); ++t)
    require(first_key[t] >= 0 && visible.begin(t) < visible.end(t), "attention",
            "a first_key is negative or in the future");
  return visible;
}

}  // namespace

size_t attention_scratch_size(size_t keys) { return 2 * tile_rows * keys; }

void attention_forward(View<const real, 3> q, View<const real, 3> k, View<const real, 3> v,
                       std::span<const std::int32_t> first_key, View<real, 3> out, View<real, 2> log_sum_exp,
                       std::span<real> scratch) {
  const Visible visible = checked_sizes(q, k, v, first_key, scratch);
  const size_t T = q.shape(0), H = q.shape(1), Dh = q.shape(2), G = k.shape(1);
  require_rows("attention_forward: out", out, {T, H, Dh});
  require_rows("attention_forward: log_sum_exp", log_sum_exp, {T, H});
  // solution: attention_forward
  if (T == 1) {  // decoding
    q = heads_as_rows(q, G);
    out = heads_as_rows(out, G);
    log_sum_exp = {log_sum_exp.data(), {H / G, G}, {1, H / G}};
  }
  const size_t row_count = q.shape(0), heads = q.shape(1), heads_per_group = heads / G;
  const real scale = 1 / std::sqrt(static_cast<real>(Dh));
  real* p = scratch.data();
  for (size_t h = 0; h < heads; ++h) {
    const size_t g = h / heads_per_group;
    for (size_t from = 0; from < row_count; from += tile_rows) {
      const Tile tile(visible, from, row_count);
      const size_t rows = tile.rows(), keys = tile.keys();
      // scores = Q Kᵀ
      simd::gemm(rows, keys, Dh, head_rows(q, tile.begin, h), head_rows(k, tile.first_key, g).transposed(), p, keys);
      // P = softmax(scale scores), row by row over the keys that the row sees; the rest of the row is 0.
      for (size_t t = tile.begin; t < tile.end; ++t) {
        real* row = p + (t - tile.begin) * keys;
        const size_t begin = visible.begin(t) - tile.first_key, end = visible.end(t) - tile.first_key;
        for (size_t s = begin; s < end; ++s) row[s] *= scale;
        log_sum_exp(t, h) = simd::softmax(row + begin, end - begin);
        std::fill(row, row + begin, real(0));
        std::fill(row + end, row + keys, real(0));
      }
      // out = P V
      simd::gemm(rows, Dh, keys, {p, keys}, head_rows(v, tile.first_key, g), &out(tile.begin, h, 0), out.stride(0));
    }
  }
  // end of solution
}

void attention_backward(View<const real, 3> d_out, View<const real, 3> q, View<const real, 3> k, View<const real, 3> v,
                        std::span<const std::int32_t> first_key, View<const real, 3> out,
                        View<const real, 2> log_sum_exp, View<real, 3> d_q, View<real, 3> d_k, View<real, 3> d_v,
                        std::span<real> scratch) {
  const Visible visible = checked_sizes(q, k, v, first_key, scratch);
  const size_t T = q.shape(0), H = q.shape(1), Dh = q.shape(2), heads_per_group = H / k.shape(1);
  require_rows("attention_backward: d_out", d_out, {T, H, Dh});
  require_rows("attention_backward: out", out, {T, H, Dh});
  require_rows("attention_backward: log_sum_exp", log_sum_exp, {T, H});
  require_rows("attention_backward: d_q", d_q, q.shape());
  require_rows("attention_backward: d_k", d_k, k.shape());
  require_rows("attention_backward: d_v", d_v, v.shape());
  const bool accumulate = true;
  // solution: attention_backward
  const real scale = 1 / std::sqrt(static_cast<real>(Dh));
  real* p = scratch.data();
  real* d_s = p + scratch.size() / 2;  // first d_P, then the gradient of the scores
  for (size_t h = 0; h < H; ++h) {
    const size_t g = h / heads_per_group;
    for (size_t from = 0; from < T; from += tile_rows) {
      const Tile tile(visible, from, T);
      const size_t rows = tile.rows(), keys = tile.keys();
      const simd::Matrix Q = head_rows(q, tile.begin, h), d_O = head_rows(d_out, tile.begin, h);
      const simd::Matrix K = head_rows(k, tile.first_key, g), V = head_rows(v, tile.first_key, g);
      simd::gemm(rows, keys, Dh, Q, K.transposed(), p, keys);  // forward's scores, again
      // out = P V gives d_P = d_out Vᵀ
      simd::gemm(rows, keys, Dh, d_O, V.transposed(), d_s, keys);
      for (size_t t = tile.begin; t < tile.end; ++t) {
        real *row = p + (t - tile.begin) * keys, *d_row = d_s + (t - tile.begin) * keys;
        const size_t begin = visible.begin(t) - tile.first_key, end = visible.end(t) - tile.first_key;
        for (size_t s = begin; s < end; ++s) row[s] *= scale;
        simd::exp_minus(row + begin, log_sum_exp(t, h), end - begin);  // forward's P, again
        // P = softmax(scale scores) gives d_scores = P (d_P - Σ P d_P) scale, and Σ_s P d_P = d_out · out
        const real mean = simd::dot(&d_out(t, h, 0), &out(t, h, 0), Dh);
        for (size_t s = begin; s < end; ++s) d_row[s] = row[s] * (d_row[s] - mean) * scale;
        for (real* x : {row, d_row}) {
          std::fill(x, x + begin, real(0));
          std::fill(x + end, x + keys, real(0));
        }
      }
      // out = P V gives d_V += Pᵀ d_out
      simd::gemm(keys, Dh, rows, simd::Matrix{p, keys}.transposed(), d_O, &d_v(tile.first_key, g, 0), d_v.stride(0),
                 accumulate);
      // scores = Q Kᵀ gives d_Q += d_scores K and d_K += d_scoresᵀ Q
      simd::gemm(rows, Dh, keys, {d_s, keys}, K, &d_q(tile.begin, h, 0), d_q.stride(0), accumulate);
      simd::gemm(keys, Dh, rows, simd::Matrix{d_s, keys}.transposed(), Q, &d_k(tile.first_key, g, 0), d_k.stride(0),
                 accumulate);
    }
  }
  // end of solution
}

}  // namespace cria
