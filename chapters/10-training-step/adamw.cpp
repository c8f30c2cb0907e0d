// Chapter 10, AdamW over the flat spans of all parameters.
#include "chapters/10-training-step/adamw.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>

#include "lib/tensor/tensor.hpp"

namespace cria {
namespace {

constexpr size_t chunk = 16384;  // numbers: long enough to be worth a hand-over, short enough to balance

// Of the parameters' layout, or of a part of their numbers, which has none.
std::vector<ParameterSet::Tensor> layout_of(const ParameterSet& weights, Range own) {
  if (own.size() == weights.flat().size()) return weights.layout();
  return {{"own_parts", Shape<1>{own.size()}}};
}

}  // namespace

void sum_squares(std::span<const real> gradient, Range parts, std::span<double, number_parts> squares,
                 ThreadPool& pool) {
  const View<const real, 1> all(gradient, {gradient.size()});
  pool.for_each(parts.size(), [&](size_t index) {
    const size_t i = parts.begin + index;
    squares[i] = 0;
    const auto [begin, end] = number_range({i, i + 1}, gradient.size());
    for (size_t at = begin; at < end; at += chunk) {
      const auto part = all.part({at, std::min(at + chunk, end)});
      squares[i] += dot(part, part);
    }
  });
}

double global_norm(std::span<const double, number_parts> squares) {
  return std::sqrt(std::accumulate(squares.begin(), squares.end(), 0.0));
}

double global_norm(std::span<const real> gradient, ThreadPool& pool) {
  std::array<double, number_parts> squares;
  sum_squares(gradient, {0, number_parts}, squares, pool);
  return global_norm(squares);
}

double clip_factor(double norm, double max_norm) {
  // solution: clip_factor
  return norm > max_norm ? max_norm / norm : 1;
  // end of solution
}

double learning_rate(const Schedule& s, double time) {
  // solution: learning_rate
  if (time < s.warmup) return s.peak * time / s.warmup;
  if (time >= s.total) return s.floor;
  const double progress = (time - s.warmup) / (s.total - s.warmup);
  return s.floor + (s.peak - s.floor) * (1 + std::cos(std::numbers::pi * progress)) / 2;
  // end of solution
}

AdamW::AdamW(const ParameterSet& weights, AdamWOptions options, Range own_parts)
    : options_(options),
      own_(number_range(own_parts, weights.flat().size())),
      first_(layout_of(weights, own_)),
      second_(layout_of(weights, own_)) {
  size_t begin = 0;
  weights.for_each([&](const std::string& name, const auto& view) {
    const bool is_matrix = view.shape().size() == 2, is_embedding = name == "model.embed_tokens.weight";
    const bool decays = options_.decay_all || (is_matrix && (options_.decay_embedding || !is_embedding));
    for (size_t at = 0; at < view.size(); at += chunk) {
      const size_t end = begin + std::min(at + chunk, view.size());
      const Range here = {std::max(begin + at, own_.begin), std::min(end, own_.end)};
      if (here.begin < here.end) parts_.push_back({here, decays});
    }
    begin += view.size();
  });
}

void AdamW::step(const ParameterSet& weights, const ParameterSet& gradients, double gradient_factor,
                 double learning_rate, ThreadPool& pool) {
  ++steps_;
  pool.for_each(parts_.size(), [&](size_t index) {
    const Part part = parts_[index];
    const Range here = {part.numbers.begin - own_.begin, part.numbers.end - own_.begin};
    const View<real, 1> w = weights.flat(part.numbers), m = first_.flat(here), v = second_.flat(here);
    const View<const real, 1> gradient = gradients.flat(part.numbers);
    const real beta1 = real(options_.beta1), beta2 = real(options_.beta2), eps = real(options_.eps);
    const real new1 = real(1 - options_.beta1),
               new2 = real(1 - options_.beta2);  // 1 - 0.999f is off in the fifth digit
    const real factor = real(gradient_factor), rate = real(learning_rate);
    const real decay = real(part.decays ? options_.weight_decay : 0);
    // solution: adamw_step
    // Both means start at zero; these corrections undo the bias towards it (Kingma & Ba 2015, section 3).
    const real unbias1 = real(1 / (1 - std::pow(options_.beta1, double(steps_))));
    const real unbias2 = real(1 / (1 - std::pow(options_.beta2, double(steps_))));
    const auto g = factor * gradient;
    const auto m_new = beta1 * m + new1 * g;
    const auto v_new = beta2 * v + new2 * g * g;
    const auto change = m_new * unbias1 / (xt::sqrt(v_new * unbias2) + eps);
    // In one loop, and all three from the old m, v and w.
    noalias(m, v, w) = together(m_new, v_new, w - rate * (change + decay * w));
    // end of solution
  });
}

}  // namespace cria
