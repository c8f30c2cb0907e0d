// The sampler. Top-k, top-p and min-p each keep a prefix of the tokens in descending order of probability, so filtering
// only asks where that order is cut, and the draw only which token lies at a given place in it.
#include "chapters/09-sampling/sampling.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "lib/base/check.hpp"
#include "lib/simd/primitives.hpp"

namespace cria {
namespace {

constexpr double unlimited = std::numeric_limits<double>::infinity();

const SamplingOptions& checked(const SamplingOptions& options) {
  const auto check = [](bool valid, const char* name, auto value, const char* expected) {
    if (!valid) throw UserError(fmt::format("{} is {}, expected {}", name, value, expected));
  };
  const auto& [temperature, top_k, top_p, min_p, penalty, seed, raw_seed] = options;
  check(temperature >= 0 && temperature < unlimited, "temperature", temperature, "0 (greedy) or more");
  check(top_k >= 0, "top-k", top_k, "a number of tokens, or 0 for all");
  check(top_p > 0 && top_p <= 1, "top-p", top_p, "more than 0 and at most 1");
  check(min_p >= 0 && min_p <= 1, "min-p", min_p, "0 to 1");
  check(penalty > 0 && penalty < unlimited, "repetition-penalty", penalty, "more than 0; 1 is none");
  check(seed != 0 || !raw_seed, "seed", seed, "another: the generator cannot start from the raw state 0");
  return options;
}

[[noreturn]] void fail_on_logits() {
  throw UserError("cannot choose a token: the logits are NaN or infinite, so the model's weights are probably damaged");
}

std::int32_t token_at(size_t i) { return static_cast<std::int32_t>(i); }

}  // namespace

Sampler::Sampler(const SamplingOptions& options, size_t vocabulary_size)
    : options_(checked(options)),
      random_(options.raw_seed ? Random::from_state(options.seed) : Random(options.seed)),
      values_(vocabulary_size),
      order_(vocabulary_size) {
  require(vocabulary_size > 0, "Sampler", "the vocabulary is empty");
}

std::int32_t Sampler::sample(View<const real, 1> logits, std::span<const std::int32_t> recent) {
  load_logits(logits, recent);
  if (greedy()) return largest();
  to_probabilities();
  const double coin = random_.uniform();
  if (!filters()) return pick_by_id(coin);
  const auto kept = filter();
  return order_.shortest_prefix(kept.count, coin * kept.mass).last.token;
}

void Sampler::distribution(View<const real, 1> logits, std::span<const std::int32_t> recent,
                           View<real, 1> probabilities) {
  require_shape("Sampler::distribution: probabilities", probabilities, {values_.size()});
  const auto out = probabilities.span();
  load_logits(logits, recent);
  if (greedy()) {
    std::ranges::fill(out, real(0));
    out[static_cast<size_t>(largest())] = 1;
    return;
  }
  to_probabilities();
  std::ranges::copy(values_, out.begin());
  if (!filters()) return;
  const auto kept = filter();
  for (size_t i = 0; i < out.size(); ++i)
    out[i] = kept.contains({out[i], token_at(i)}) ? static_cast<real>(out[i] / kept.mass) : real(0);
}

void Sampler::load_logits(View<const real, 1> logits, std::span<const std::int32_t> recent) {
  require_shape("Sampler: logits", logits, {values_.size()});
  std::ranges::copy(logits.span(), values_.begin());
  const real penalty = static_cast<real>(options_.repetition_penalty);
  for (const std::int32_t token : recent) {
    require(token >= 0 && static_cast<size_t>(token) < values_.size(), "Sampler", "a recent token is out of range");
    // solution: repetition_penalty
    // Computed from the logit as it came, so that a token that was there twice is penalised once.
    const real logit = logits[static_cast<size_t>(token)];
    values_[static_cast<size_t>(token)] = logit > 0 ? logit / penalty : logit * penalty;
    // end of solution
  }
}

void Sampler::to_probabilities() {
  // solution: temperature
  const real temperature = static_cast<real>(options_.temperature);
  if (temperature != 1)
    for (real& value : values_) value /= temperature;
  const real log_sum_exp = simd::softmax(values_.data(), values_.size());
  // end of solution
  if (!std::isfinite(log_sum_exp)) fail_on_logits();
}

std::int32_t Sampler::largest() const {
  const auto at = std::ranges::max_element(values_);
  if (!std::isfinite(*at) || std::ranges::any_of(values_, [](real x) { return std::isnan(x); })) fail_on_logits();
  return token_at(static_cast<size_t>(at - values_.begin()));
}

// The first token at which the probabilities, added up in order of id, are more than the target.
std::int32_t Sampler::pick_by_id(double target) const {
  double sum = 0;
  size_t i = 0;
  for (constexpr size_t block = 256; i + block < values_.size(); i += block) {  // most of the way in large steps
    const double next = sum + std::reduce(&values_[i], &values_[i] + block, real(0));
    if (next > target) break;
    sum = next;
  }
  for (; i < values_.size(); ++i)
    if ((sum += values_[i]) > target) return token_at(i);
  while (values_[--i] == 0) {}  // the sum fell short by rounding: the last token that is possible at all
  return token_at(i);
}

// Which prefix of the descending order is left to draw from.
DescendingOrder::Prefix Sampler::filter() {
  // Tokens below (1 - p) / (V - 1) cannot be among those that reach p, as all of them together have less than 1 - p
  // (the shortcut is llama2.c's). Top-k has to count them, and the largest, at least 1 / V, must not be lost.
  const double V = static_cast<double>(values_.size());
  const double least = options_.top_k > 0 ? 0 : std::min((1 - options_.top_p) / std::max(V - 1, 1.0), 0.5 / V);
  order_.count(values_, static_cast<real>(least));
  // solution: filter
  DescendingOrder::Prefix kept{.count = values_.size(), .mass = 1};
  if (options_.top_k > 0) kept = order_.shortest_prefix(static_cast<size_t>(options_.top_k), unlimited);
  if (options_.top_p < 1) kept = order_.shortest_prefix(kept.count, options_.top_p * kept.mass);
  if (options_.min_p > 0) {
    const double limit = options_.min_p * order_.shortest_prefix(1, unlimited).mass;
    const auto enough = std::ranges::count_if(values_, [limit](real probability) { return probability >= limit; });
    kept = order_.shortest_prefix(std::min(kept.count, static_cast<size_t>(enough)), unlimited);
  }
  return kept;
  // end of solution
}

}  // namespace cria
