// GPTQ against its definition, against a slow textbook version of it, and where its Hessian is not what it should be.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "chapters/13-quantisation/cholesky.hpp"
#include "chapters/13-quantisation/error_weights.hpp"
#include "chapters/13-quantisation/gptq.hpp"
#include "chapters/13-quantisation/quantise_rows.hpp"
#include "chapters/13-quantisation/scale_search.hpp"
#include "lib/formats/encode.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

/// Rows of inputs whose columns go together, and some of which are larger than others.
Array<real, 2> inputs(size_t N, size_t K, std::uint64_t seed) {
  const Array<real, 2> few = random_array<2>({N, K / 4}, seed), mix = random_array<2>({K / 4, K}, seed + 1),
                       own = random_array<2>({N, K}, seed + 2);
  Array<real, 2> x = zeros<real, 2>({N, K});
  for (size_t n = 0; n < N; ++n)
    for (size_t k = 0; k < K; ++k) {
      for (size_t i = 0; i < K / 4; ++i) x(n, k) += few(n, i) * mix(i, k);
      x(n, k) = real((0.3 * double(x(n, k)) + double(own(n, k))) * (k % 7 == 3 ? 5 : 1));
    }
  return x;
}

Array<real, 2> hessian_of(const Array<real, 2>& x) {
  const size_t N = x.shape(0), K = x.shape(1);
  Array<real, 2> h = zeros<real, 2>({K, K});
  for (size_t i = 0; i < K; ++i)
    for (size_t j = 0; j < K; ++j) {
      double sum = 0;
      for (size_t n = 0; n < N; ++n) sum += double(x(n, i)) * double(x(n, j));
      h(i, j) = real(sum);
    }
  return h;
}

Array<real, 2> diagonal(size_t K, const std::function<double(size_t)>& value) {
  Array<real, 2> h = zeros<real, 2>({K, K});
  for (size_t k = 0; k < K; ++k) h(k, k) = real(value(k));
  return h;
}

std::string gptq(ElementType type, const Array<real, 2>& w, const Array<real, 2>& h, GptqOptions options = {},
                 size_t threads = 1) {
  ThreadPool pool(threads);
  std::string bytes;
  gptq_rows(pool, type, view(w), plan_columns(view(h), options, pool), bytes);
  return bytes;
}

std::string searched(ElementType type, const Array<real, 2>& w, const std::vector<float>& importance = {}) {
  ThreadPool pool(1);
  std::string bytes;
  quantise_rows(pool, type, w.shape(1), view(w).span(), importance, bytes);
  return bytes;
}

Array<real, 2> decoded(ElementType type, const std::string& bytes, const Array<real, 2>& like) {
  Array<real, 2> out(like.shape());
  convert_elements(type, reinterpret_cast<const std::byte*>(bytes.data()), view(out).span());
  return out;
}

/// Σ |W x - Q x|² over the rows x, by its definition.
double output_error(const Array<real, 2>& x, const Array<real, 2>& w, const Array<real, 2>& q) {
  double sum = 0;
  for (size_t n = 0; n < x.shape(0); ++n)
    for (size_t m = 0; m < w.shape(0); ++m) {
      double y = 0;
      for (size_t k = 0; k < w.shape(1); ++k) y += double(x(n, k)) * (double(w(m, k)) - double(q(m, k)));
      sum += y * y;
    }
  return sum;
}

/// The inverse by Gauss and Jordan.
Array<double, 2> inverse(Array<double, 2> a) {
  const size_t K = a.shape(0);
  Array<double, 2> b = xt::eye<double>(K);
  for (size_t i = 0; i < K; ++i) {
    const double pivot = a(i, i);
    for (size_t k = 0; k < K; ++k) a(i, k) /= pivot, b(i, k) /= pivot;
    for (size_t j = 0; j < K; ++j) {
      const double factor = a(j, i);
      for (size_t k = 0; k < K && j != i; ++k) a(j, k) -= factor * a(i, k), b(j, k) -= factor * b(i, k);
    }
  }
  return b;
}

/// Optimal brain quantisation in a given order, one weight at a time and all of it in double: the inverse of what is
/// left is kept, and a row and a column of it eliminated for each weight (Frantar and Alistarh 2022, lemma 1).
Array<double, 2> textbook(ElementType type, const Array<real, 2>& w, const Array<real, 2>& hessian,
                          const GptqOptions& options) {
  const size_t M = w.shape(0), K = w.shape(1);
  Array<double, 2> h = xt::cast<double>(hessian);
  double mean = 0;
  for (size_t k = 0; k < K; ++k) mean += h(k, k) / double(K);
  for (size_t k = 0; k < K; ++k) h(k, k) += options.damping * mean;
  std::vector<size_t> order(K);
  std::iota(order.begin(), order.end(), size_t{0});
  if (options.act_order)
    std::ranges::stable_sort(order, [&](size_t a, size_t b) { return hessian(a, a) > hessian(b, b); });
  std::vector<Array<double, 2>> left{inverse(h)};  // before each step
  for (const size_t j : order) {
    const Array<double, 2>& before = left.back();
    Array<double, 2> after = before;
    for (size_t a = 0; a < K; ++a)
      for (size_t b = 0; b < K; ++b) after(a, b) -= before(a, j) * before(j, b) / before(j, j);
    left.push_back(after);
  }
  std::vector<float> importance(K);
  for (size_t step = 0; step < K; ++step) importance[order[step]] = float(1 / left[step](order[step], order[step]));

  const bool affine = type == ElementType::q4_1;
  const Levels levels = affine ? Levels(0, 15) : Levels(-8, 7);
  Array<double, 2> q = xt::cast<double>(w);
  for (size_t m = 0; m < M; ++m) {
    std::vector<Fit> fits(K / 32);
    const auto find_fit = [&](size_t g) {
      std::vector<float> values(32);
      for (size_t i = 0; i < 32; ++i) values[i] = float(q(m, 32 * g + i));
      std::vector<float> of(32);
      weigh_errors(values, std::span(importance).subspan(32 * g, 32), of);
      Fit fit =
          affine ? search_scale_and_minimum(values, of, levels, MinimumSign::any) : search_scale(values, of, levels);
      for (float* x : {&fit.scale, &fit.minimum}) *x = half_to_float(float_to_half(*x));
      fits[g] = fit;
    };
    for (size_t g = 0; g < K / 32 && options.act_order; ++g) find_fit(g);
    for (size_t step = 0; step < K; ++step) {
      const size_t j = order[step];
      if (!options.act_order && j % 32 == 0) find_fit(j / 32);
      const Fit& fit = fits[j / 32];
      const double code = std::clamp(std::floor((q(m, j) - fit.minimum) / fit.scale + 0.5), double(levels.front()),
                                     double(levels.back()));
      const double error = (q(m, j) - (fit.scale * code + fit.minimum)) / left[step](j, j);
      for (size_t k = 0; k < K; ++k) q(m, k) -= error * left[step](j, k);  // rows and columns that are gone are zero
    }
  }
  return q;
}

constexpr ElementType both_types[] = {ElementType::q4_0, ElementType::q4_1};

}  // namespace

TEST_CASE("the factor is triangular, and its square the inverse") {
  const size_t K = 50;
  const Array<real, 2> x = inputs(80, K, 1);
  const Array<double, 2> h = xt::cast<double>(hessian_of(x));
  Array<double, 2> u = h;
  ThreadPool pool(2);
  REQUIRE(invert_to_factor(view(u), pool));
  double largest = 0;
  for (size_t i = 0; i < K; ++i) {
    for (size_t j = 0; j < i; ++j) CHECK(u(i, j) == 0);
    for (size_t j = 0; j < K; ++j) {
      double sum = 0;  // (UᵀU h)(i, j)
      for (size_t a = 0; a < K; ++a)
        for (size_t b = 0; b < K; ++b) sum += u(a, i) * u(a, b) * h(b, j);
      largest = std::max(largest, std::abs(sum - (i == j)));
    }
  }
  CHECK(largest < 1e-10);  // rounding of double, times h's condition of about 1e4
}

TEST_CASE("a matrix that is not positive definite has no factor") {
  ThreadPool pool(1);
  Array<double, 2> indefinite{{1, 2}, {2, 1}}, singular{{1, 1}, {1, 1}}, zero{{1, 0}, {0, 0}};
  for (Array<double, 2>* h : {&indefinite, &singular, &zero}) CHECK(!invert_to_factor(view(*h), pool));
}

TEST_CASE("GPTQ rounds as one weight after the other does, by the textbook") {
  const ElementType type = GENERATE(ElementType::q4_0, ElementType::q4_1);
  const bool act_order = GENERATE(false, true);
  INFO(type_layout(type).name << (act_order ? ", largest first" : ""));
  const Array<real, 2> w = random_array<2>({5, 96}, 7, 0.05), h = hessian_of(inputs(200, 96, 8));
  const GptqOptions options{0.01, act_order};
  // One float16 scale, and the rounding of a float in what it multiplies: another code would be 200 times as far.
  CHECK(relative_error(decoded(type, gptq(type, w, h, options), w), textbook(type, w, h, options)) < 1e-5);
}

TEST_CASE("GPTQ loses less of a layer's output than rounding each weight for itself") {
  const ElementType type = GENERATE(ElementType::q4_0, ElementType::q4_1);
  const bool act_order = GENERATE(false, true);
  INFO(type_layout(type).name << (act_order ? ", largest first" : ""));
  const size_t K = 128;
  const Array<real, 2> w = random_array<2>({24, K}, 1, 0.05), x = inputs(400, K, 2), h = hessian_of(x);
  const auto error = [&](const std::string& bytes) { return output_error(x, w, decoded(type, bytes, w)); };
  std::vector<float> importance(K);
  for (size_t k = 0; k < K; ++k) importance[k] = float(h(k, k));
  const double ours = error(gptq(type, w, h, {0.01, act_order})), weighted = error(searched(type, w, importance));
  CHECK(weighted < error(searched(type, w)));
  CHECK(ours < 0.6 * weighted);  // 0.35 to 0.45
  CHECK(ours > 0);
}

TEST_CASE("where inputs do not go together, nothing can be made up for") {
  // GPTQ is then the search with the inputs' mean squares as importance, bit by bit and in any order.
  const ElementType type = GENERATE(ElementType::q4_0, ElementType::q4_1);
  const bool act_order = GENERATE(false, true);
  const Array<real, 2> w = random_array<2>({70, 64}, 3, 0.05);
  const auto value = [](size_t k) { return 1 + double(k * 37 % 64); };
  std::vector<float> importance(64);
  for (size_t k = 0; k < 64; ++k) importance[k] = float(value(k));
  CHECK((gptq(type, w, diagonal(64, value), {0, act_order}) == searched(type, w, importance)));
}

TEST_CASE("damping weakens what GPTQ does, until there is nothing left of it") {
  const Array<real, 2> w = random_array<2>({8, 64}, 4, 0.05), x = inputs(300, 64, 5), h = hessian_of(x);
  const auto damped = [&](double damping) { return gptq(ElementType::q4_0, w, h, {damping, false}); };
  const auto error = [&](double damping) { return output_error(x, w, decoded(ElementType::q4_0, damped(damping), w)); };
  CHECK(error(0.01) < error(1));
  CHECK(error(1) < error(100));
  CHECK((damped(1e9) == searched(ElementType::q4_0, w, std::vector<float>(64, 1))));
}

TEST_CASE("a singular Hessian gets as much damping as it needs") {
  const bool act_order = GENERATE(false, true);
  const Array<real, 2> w = random_array<2>({8, 64}, 6, 0.05);
  const auto error = [&](const Array<real, 2>& x, const std::string& bytes) {
    return output_error(x, w, decoded(ElementType::q4_0, bytes, w));
  };
  SECTION("fewer rows than columns") {
    const Array<real, 2> x = inputs(20, 64, 9), h = hessian_of(x);
    for (const double damping : {0.0, 0.01})
      CHECK(error(x, gptq(ElementType::q4_0, w, h, {damping, act_order})) < error(x, searched(ElementType::q4_0, w)));
  }
  SECTION("columns that are always zero, or always equal") {
    Array<real, 2> x = inputs(300, 64, 9);
    for (size_t n = 0; n < x.shape(0); ++n) x(n, 5) = x(n, 63) = 0, x(n, 40) = x(n, 41);
    const Array<real, 2> h = hessian_of(x);
    for (const double damping : {0.0, 0.01})
      CHECK(error(x, gptq(ElementType::q4_0, w, h, {damping, act_order})) < error(x, searched(ElementType::q4_0, w)));
  }
  SECTION("nothing but zeros") {
    const Array<real, 2> none = zeros<real, 2>({64, 64});
    CHECK((gptq(ElementType::q4_0, w, none, {0.01, act_order}) ==
           searched(ElementType::q4_0, w, std::vector<float>(64, 1))));
  }
}

TEST_CASE("GPTQ gives the same bits at any number of threads") {
  for (const ElementType type : both_types) {
    const Array<real, 2> w = random_array<2>({150, 96}, 10, 0.05), h = hessian_of(inputs(200, 96, 11));
    const std::string bytes = gptq(type, w, h);
    for (const size_t threads : {2, 3}) CHECK((gptq(type, w, h, {}, threads) == bytes));
  }
}

TEST_CASE("GPTQ refuses what it cannot do") {
  ThreadPool pool(1);
  Array<real, 2> w = random_array<2>({2, 32}, 12), h = diagonal(32, [](size_t) { return 1; });
  const ColumnPlan plan = plan_columns(view(h), {}, pool);
  std::string bytes;
  CHECK_THROWS_AS(gptq_rows(pool, ElementType::q4_k, view(w), plan, bytes), ContractError);
  const Array<real, 2> wide = random_array<2>({2, 64}, 12), odd = random_array<2>({2, 33}, 12);
  CHECK_THROWS_AS(gptq_rows(pool, ElementType::q4_0, view(wide), plan, bytes), ContractError);
  CHECK_THROWS_AS(gptq_rows(pool, ElementType::q4_0, view(odd), plan, bytes), ContractError);
  w(1, 7) = std::numeric_limits<real>::quiet_NaN();
  CHECK_THROWS_WITH(gptq_rows(pool, ElementType::q4_0, view(w), plan, bytes), contains("not finite"));
  CHECK(bytes.empty());
  for (const double value : {std::nan(""), double(INFINITY)}) {
    h(3, 3) = real(value);
    CHECK_THROWS_AS(plan_columns(view(h), {}, pool), UserError);
  }
}
