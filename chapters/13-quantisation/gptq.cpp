#include "chapters/13-quantisation/gptq.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "chapters/13-quantisation/cholesky.hpp"
#include "chapters/13-quantisation/error_weights.hpp"
#include "chapters/13-quantisation/half_scale.hpp"
#include "chapters/13-quantisation/pack.hpp"
#include "chapters/13-quantisation/scale_search.hpp"
#include "lib/base/check.hpp"
#include "lib/formats/blocks.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {
namespace {

constexpr size_t group = 32;  // numbers of a block, and columns whose errors reach the columns behind them together

/// How a block is made in two steps: its scale, long before its codes.
struct Q4_0 {
  using Block = BlockQ4_0;
  static Levels levels() { return {-8, 7}; }
  static Fit search(std::span<const float> values, std::span<const float> weights) {
    return {HalfScale(search_scale(values, weights, levels()).scale).value, 0};
  }
  static Block pack(const Fit& fit, const std::uint8_t* codes) {
    Block block{HalfScale(fit.scale).bits, {}};
    pack_nibbles(codes, group / 2, block.codes);
    return block;
  }
};
struct Q4_1 {
  using Block = BlockQ4_1;
  static Levels levels() { return {0, 15}; }
  static Fit search(std::span<const float> values, std::span<const float> weights) {
    const Fit fit = search_scale_and_minimum(values, weights, levels(), MinimumSign::any);
    return {HalfScale(fit.scale).value, HalfScale(fit.minimum).value};
  }
  static Block pack(const Fit& fit, const std::uint8_t* codes) {
    Block block{HalfScale(fit.scale).bits, HalfScale(fit.minimum).bits, {}};
    pack_nibbles(codes, group / 2, block.codes);
    return block;
  }
};

/// Some rows of a matrix, while they are rounded.
template <class Type>
class Rows {
 public:
  Rows(View<const real, 2> weight, const ColumnPlan& plan)
      : weight_(weight),
        plan_(plan),
        groups_(weight.shape(1) / group),
        moved_(Array<real, 2>::from_shape({weight.shape(0), weight.shape(1)})),
        fits_(weight.shape(0) * groups_),
        codes_(weight.size()) {
    for (size_t m = 0; m < weight.shape(0); ++m)
      for (size_t j = 0; j < plan.order.size(); ++j) moved_(m, j) = weight(m, plan.order[j]);
  }

  void round() {
    const size_t M = weight_.shape(0), K = weight_.shape(1);
    const View<const real, 2> u = view(plan_.factor);
    const View<real, 2> w = view(moved_);  // columns in the plan's order
    Array<real, 2> errors = Array<real, 2>::from_shape({M, group});
    if (plan_.is_sorted)
      for (size_t g = 0; g < groups_; ++g) find_fits(weight_, g);
    for (size_t begin = 0; begin < K; begin += group) {
      const Range block{begin, begin + group}, behind{block.end, K};
      if (!plan_.is_sorted) find_fits(w, begin / group);
      // solution: gptq
      for (size_t m = 0; m < M; ++m)
        for (size_t j = block.begin; j < block.end; ++j) {
          // The two inner lines of Algorithm 1, with the error's sign turned, as a product can only be added.
          const real error = (nearest(m, plan_.order[j], w(m, j)) - w(m, j)) / u(j, j);
          noalias(w[m].part({j + 1, block.end})) += error * u[j].part({j + 1, block.end});
          errors(m, j - begin) = error;
        }
      noalias(w.columns(behind)) += matmul(view(errors), u.rows(block).columns(behind));
      // end of solution
    }
  }

  void write(char* out) const {
    for (size_t b = 0; b < fits_.size(); ++b, out += sizeof(typename Type::Block)) {
      const auto block = Type::pack(fits_[b], codes_.data() + b * group);
      std::memcpy(out, &block, sizeof block);
    }
  }

 private:
  /// Scales of block g of each row, for numbers that stand at their places.
  void find_fits(View<const real, 2> numbers, size_t g) {
    float values[group], weights[group];
    const auto importance = std::span(plan_.importance).subspan(g * group, group);
    for (size_t m = 0; m < numbers.shape(0); ++m) {
      std::ranges::copy(numbers[m].part({g * group, (g + 1) * group}).span(), values);
      weigh_errors(values, importance, weights);
      fits_[m * groups_ + g] = Type::search(values, weights);
    }
  }

  /// What a number is rounded to at its place, and its code noted.
  real nearest(size_t m, size_t place, real number) {
    const Fit& fit = fits_[m * groups_ + place / group];
    const float x = static_cast<float>(number);
    std::uint8_t& code = codes_[m * weight_.shape(1) + place];
    nearest_codes({&x, 1}, fit, levels_, &code);
    return real(fit.scale * static_cast<float>(levels_[code]) + fit.minimum);
  }

  View<const real, 2> weight_;
  const ColumnPlan& plan_;
  const Levels levels_ = Type::levels();
  size_t groups_;
  Array<real, 2> moved_;             // (M, K) what is left to be rounded, and what was rounded already
  std::vector<Fit> fits_;            // (M, K / 32)
  std::vector<std::uint8_t> codes_;  // (M, K) at their places
};

template <class Type>
void round_in_parts(ThreadPool& pool, View<const real, 2> weight, const ColumnPlan& plan, char* out) {
  constexpr size_t part = 64;  // rows that share a product; fixed, so that threads do not matter
  const size_t M = weight.shape(0), row_bytes = weight.shape(1) / group * sizeof(typename Type::Block);
  pool.for_each((M + part - 1) / part, [&](size_t i) {
    Rows<Type> rows(weight.rows(i * part, std::min(M, (i + 1) * part)), plan);
    rows.round();
    rows.write(out + i * part * row_bytes);
  });
}

std::vector<size_t> by_falling_diagonal(View<const real, 2> hessian) {
  std::vector<size_t> order(hessian.shape(0));
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, std::greater(), [&](size_t k) { return hessian(k, k); });
  return order;
}

}  // namespace

ColumnPlan plan_columns(View<const real, 2> hessian, const GptqOptions& options, ThreadPool& pool) {
  const size_t K = hessian.shape(0);
  require_shape("plan_columns: hessian", hessian, Shape<2>{K, K});
  double mean = 0;
  for (size_t k = 0; k < K; ++k) mean += double(hessian(k, k)) / double(K);
  for (const real x : hessian.span())
    if (!std::isfinite(x) || !std::isfinite(mean))
      throw UserError("what a matrix reads is NaN or infinite, so the model's weights are probably damaged");
  ColumnPlan plan;
  plan.is_sorted = options.act_order;
  plan.order = by_falling_diagonal(hessian);
  if (!options.act_order) std::ranges::sort(plan.order);
  Array<double, 2> h = Array<double, 2>::from_shape({K, K});
  const auto attempt = [&](double damping) {
    for (size_t i = 0; i < K; ++i)
      for (size_t j = i; j < K; ++j) h(i, j) = double(hessian(plan.order[i], plan.order[j])) + (i == j ? damping : 0);
    return invert_to_factor(view(h), pool);
  };
  if (mean == 0) mean = 1;  // nothing was read, so all columns are alike
  for (double damping = options.damping * mean; !attempt(damping);) damping = std::max(10 * damping, 1e-6 * mean);
  plan.factor = xt::cast<real>(h);
  plan.importance.resize(K);
  for (size_t j = 0; j < K; ++j) plan.importance[plan.order[j]] = static_cast<float>(1 / (h(j, j) * h(j, j)));
  return plan;
}

bool has_gptq(ElementType type) { return type == ElementType::q4_0 || type == ElementType::q4_1; }

void gptq_rows(ThreadPool& pool, ElementType type, View<const real, 2> weight, const ColumnPlan& plan,
               std::string& out) {
  const size_t K = weight.shape(1);
  require(has_gptq(type), "gptq_rows", "no GPTQ for this type");
  require(K % group == 0, "gptq_rows", "no whole number of blocks in a row");
  require(plan.order.size() == K, "gptq_rows", "the plan is for another number of columns");
  require(std::ranges::all_of(weight.span(), [](real x) { return std::isfinite(x); }), "gptq_rows",
          "a number is not finite");
  const size_t begin = out.size();
  out.resize(begin + weight.size() / group * element_size(type));
  if (type == ElementType::q4_0)
    round_in_parts<Q4_0>(pool, weight, plan, out.data() + begin);
  else
    round_in_parts<Q4_1>(pool, weight, plan, out.data() + begin);
}

}  // namespace cria
