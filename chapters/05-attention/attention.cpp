// Chapter 05, attention forward and backward. The T x S matrix of scores never exists: a tile of query rows at a time
// is computed, used and overwritten, and backward computes it again (Dao et al. 2022, arXiv:2205.14135, section 3). A
// tile is as wide as the keys it sees, so a row's softmax is done in one piece; there is no running rescale as on a
// GPU.
#include "chapters/05-attention/attention.hpp"

#include <algorithm>
#include <cmath>

#include "lib/base/check.hpp"
#include "lib/tensor/tensor.hpp"

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

/// Some rows of queries and the keys that at least one of them sees; what lies outside is never computed. The matrices
/// of a tile, such as its scores, are (rows, keys).
struct Tile {
  Range rows, keys;

  Tile(const Visible& visible, size_t from, size_t row_count) : rows{from, std::min(from + tile_rows, row_count)} {
    keys.begin = keys.end = visible.end(rows.end - 1);
    for (size_t t = rows.begin; t < rows.end; ++t) keys.begin = std::min(keys.begin, visible.begin(t));
  }
  Shape<2> shape() const { return {rows.size(), keys.size()}; }
  /// Which columns of the tile's matrices row t sees.
  Range seen(const Visible& visible, size_t t) const {
    return {visible.begin(t) - keys.begin, visible.end(t) - keys.begin};
  }
};

/// Some rows of one head: (rows, Dh). (`template` tells the compiler that < opens a template's arguments.)
template <class T>
View<T, 2> of_head(View<T, 3> x, size_t head, Range rows) {
  return x.rows(rows).template at<1>(head);
}

void zero_outside(View<real, 1> row, Range seen) {
  if (seen.size() == row.size()) return;  // a decoded token's rows, all of them
  noalias(row.part({0, seen.begin})) = 0;
  noalias(row.part({seen.end, row.size()})) = 0;
}

/// The H heads of a single query as H/G rows of G heads, by other strides on the same memory. The heads of a group see
/// the same keys, so as rows of one tile they share a product: decoding reads k and v once, not H/G times.
template <class T>
View<T, 3> heads_as_rows(View<T, 3> x, size_t G) {
  return x.reshape(Shape<3>{G, x.shape(1) / G, x.shape(2)}).template swapped<0, 1>();
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

real plain_softmax(View<real, 1> x) {
  // solution: plain_softmax
  real most = x(0);
  for (size_t i = 1; i < x.size(); ++i) most = std::max(most, x(i));
  real sum = 0;
  for (size_t i = 0; i < x.size(); ++i) sum += x(i) = std::exp(x(i) - most);
  for (size_t i = 0; i < x.size(); ++i) x(i) /= sum;
  return most + std::log(sum);
  // end of solution
}

size_t attention_scratch_size(size_t keys) { return 2 * tile_rows * keys; }

void attention_forward(View<const real, 3> q, View<const real, 3> k, View<const real, 3> v,
                       std::span<const std::int32_t> first_key, View<real, 3> out, View<real, 2> log_sum_exp,
                       std::span<real> scratch) {
  const Visible visible = checked_sizes(q, k, v, first_key, scratch);
  const size_t T = q.shape(0), H = q.shape(1), Dh = q.shape(2), G = k.shape(1);
  require_rows("attention_forward: out", out, {T, H, Dh});
  require_rows("attention_forward: log_sum_exp", log_sum_exp, {T, H});
  // solution: attention_forward
  if (T == 1) {  // decoding: from here on the rows are the H / G heads of a group, and the heads the G groups
    q = heads_as_rows(q, G);
    out = heads_as_rows(out, G);
    log_sum_exp = transposed(log_sum_exp.reshape(Shape<2>{G, H / G}));
  }
  const size_t row_count = q.shape(0), heads = q.shape(1), heads_per_group = heads / G;
  const real scale = 1 / std::sqrt(static_cast<real>(Dh));
  for (size_t h = 0; h < heads; ++h) {
    const size_t g = h / heads_per_group;
    for (size_t from = 0; from < row_count; from += tile_rows) {
      const Tile tile(visible, from, row_count);
      const auto Q = of_head(q, h, tile.rows), K = of_head(k, g, tile.keys), V = of_head(v, g, tile.keys);
      const View<real, 2> P(scratch, tile.shape());
      noalias(P) = matmul(Q, transposed(K));
      noalias(P) *= scale;  // scores = scale Q Kᵀ
      // P = softmax(scores), row by row over the keys that the row sees; the rest of the row is 0.
      for (size_t t = tile.rows.begin; t < tile.rows.end; ++t) {
        const View<real, 1> row = P[t - tile.rows.begin];
        const Range seen = tile.seen(visible, t);
        log_sum_exp(t, h) = softmax(row.part(seen));
        zero_outside(row, seen);
      }
      noalias(of_head(out, h, tile.rows)) = matmul(P, V);
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
  // solution: attention_backward
  const real scale = 1 / std::sqrt(static_cast<real>(Dh));
  for (size_t h = 0; h < H; ++h) {
    const size_t g = h / heads_per_group;
    for (size_t from = 0; from < T; from += tile_rows) {
      const Tile tile(visible, from, T);
      const auto Q = of_head(q, h, tile.rows), K = of_head(k, g, tile.keys), V = of_head(v, g, tile.keys);
      const auto d_O = of_head(d_out, h, tile.rows);
      const View<real, 2> P(scratch, tile.shape()), d_S(scratch.subspan(scratch.size() / 2), tile.shape());
      noalias(P) = matmul(Q, transposed(K));      // S = Q Kᵀ, again; scores = scale S
      noalias(d_S) = matmul(d_O, transposed(V));  // out = P V gives d_P = d_out Vᵀ, of which d_S is made in place
      for (size_t t = tile.rows.begin; t < tile.rows.end; ++t) {
        const View<real, 1> row = P[t - tile.rows.begin], d_row = d_S[t - tile.rows.begin];
        const Range seen = tile.seen(visible, t);
        const View<real, 1> p = row.part(seen), d_s = d_row.part(seen);
        noalias(p) = xt::exp(p * scale - log_sum_exp(t, h));  // forward's P, again
        // P = softmax(scores) gives d_scores = P (d_P - Σ P d_P), and Σ P d_P = Σ P (d_out · V) = d_out · out
        const real mean = dot(d_out[t][h], out[t][h]);
        noalias(d_s) = p * (d_s - mean) * scale;  // d_s is still d_P on the right; d_S = scale d_scores
        zero_outside(row, seen);
        zero_outside(d_row, seen);
      }
      // out = P V gives d_V += Pᵀ d_out
      noalias(of_head(d_v, g, tile.keys)) += matmul(transposed(P), d_O);
      // S = Q Kᵀ gives d_Q += d_S K and d_K += d_Sᵀ Q
      noalias(of_head(d_q, h, tile.rows)) += matmul(d_S, K);
      noalias(of_head(d_k, g, tile.keys)) += matmul(transposed(d_S), Q);
    }
  }
  // end of solution
}

}  // namespace cria
