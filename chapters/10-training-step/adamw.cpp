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

}  // namespace

double global_norm(std::span<const real> gradient, ThreadPool& pool) {
  constexpr size_t parts = 64;
  const View<const real, 1> all(gradient, {gradient.size()});
  std::array<double, parts> squares{};
  pool.for_each(parts, [&](size_t i) {
    const size_t end = gradient.size() * (i + 1) / parts;
    for (size_t at = gradient.size() * i / parts; at < end; at += chunk) {
      const auto part = all.part({at, std::min(at + chunk, end)});
      squares[i] += dot(part, part);
    }
  });
  return std::sqrt(std::accumulate(squares.begin(), squares.end(), 0.0));
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

AdamW::AdamW(const ParameterSet& weights, AdamWOptions options)
    : options_(options), first_(weights.layout()), second_(weights.layout()) {
  size_t begin = 0;
  weights.for_each([&](const std::string& name, const auto& view) {
    const bool is_matrix = view.shape().size() == 2, is_embedding = name == "model.embed_tokens.weight";
    const bool decays = options_.decay_all || (is_matrix && (options_.decay_embedding || !is_embedding));
    for (size_t at = 0; at < view.size(); at += chunk)
      parts_.push_back({{begin + at, begin + std::min(at + chunk, view.size())}, decays});
    begin += view.size();
  });
}

void AdamW::step(const ParameterSet& weights, const ParameterSet& gradients, double gradient_factor,
                 double learning_rate, ThreadPool& pool) {
  ++steps_;
  pool.for_each(parts_.size(), [&](size_t index) {
    const Part part = parts_[index];
    const View<real, 1> w = weights.flat(part.numbers), m = first_.flat(part.numbers), v = second_.flat(part.numbers);
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
