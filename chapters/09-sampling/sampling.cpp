// The sampler. Top-k, top-p and min-p each keep a prefix of the tokens in descending order of probability, so filtering
// only asks where that order is cut, and the draw only which token lies at a given place in it.
#include "chapters/09-sampling/sampling.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "chapters/09-sampling/prefix.hpp"
#include "lib/base/check.hpp"
#include "lib/tensor/tensor.hpp"

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
  check(real(penalty) > 0 && penalty < unlimited, "repetition-penalty", penalty, "more than 0; 1 is none");
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
      vocabulary_size_(vocabulary_size),
      values_(vocabulary_size),
      tokens_(vocabulary_size) {
  require(vocabulary_size > 0, "Sampler", "the vocabulary is empty");
}

std::int32_t Sampler::sample(View<const real, 1> logits, std::span<const std::int32_t> recent) {
  load_logits(logits, recent);
  if (greedy()) return most_probable();
  to_probabilities();
  const double coin = random_.uniform();
  if (!filters()) return pick_by_id(coin);
  const double mass = filter();
  return tokens_[shortest_prefix(values_, values_.size(), coin * mass).last];
}

void Sampler::distribution(View<const real, 1> logits, std::span<const std::int32_t> recent,
                           View<real, 1> probabilities) {
  require_shape("Sampler::distribution: probabilities", probabilities, {vocabulary_size_});
  noalias(probabilities) = 0;
  load_logits(logits, recent);
  if (greedy()) {
    probabilities[static_cast<size_t>(most_probable())] = 1;
    return;
  }
  to_probabilities();
  const double mass = filters() ? filter() : 1;
  for (size_t i = 0; i < values_.size(); ++i)
    probabilities[static_cast<size_t>(tokens_[i])] = static_cast<real>(values_[i] / mass);
}

void Sampler::load_logits(View<const real, 1> logits, std::span<const std::int32_t> recent) {
  require_shape("Sampler: logits", logits, {vocabulary_size_});
  values_.assign(logits.span().begin(), logits.span().end());  // within the capacity: no allocation
  const real penalty = static_cast<real>(options_.repetition_penalty);
  if (penalty == 1) return;  // a long text would cost more to go through than its next token
  for (const std::int32_t token : recent) {
    require(token >= 0 && static_cast<size_t>(token) < vocabulary_size_, "Sampler", "a recent token is out of range");
    // solution: repetition_penalty
    // Computed from the logit as it came, so that a token that was there twice is penalised once.
    const real logit = logits[static_cast<size_t>(token)];
    values_[static_cast<size_t>(token)] = logit > 0 ? logit / penalty : logit * penalty;
    // end of solution
  }
}

void Sampler::to_probabilities() {
  const View<real, 1> values(values_, {values_.size()});
  real log_sum_exp = 0;
  // solution: temperature
  const real temperature = static_cast<real>(options_.temperature);
  if (temperature != 1) noalias(values) /= temperature;
  log_sum_exp = softmax(values);
  // end of solution
  if (!std::isfinite(log_sum_exp)) fail_on_logits();
  tokens_.resize(vocabulary_size_);
  std::iota(tokens_.begin(), tokens_.end(), 0);
}

std::int32_t Sampler::most_probable() const {
  int nans = 0;  // counted, not searched for: a loop without a way out becomes SIMD code
  for (const real value : values_) nans += std::isnan(value);
  const auto at = std::ranges::max_element(values_);
  if (nans > 0 || !std::isfinite(*at)) fail_on_logits();
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
  while (values_[--i] == 0) {
  }  // the sum fell short by rounding: the last token that is possible at all
  return token_at(i);
}

// Finds the prefix of the descending order that is left to draw from, sets the probabilities of all others to 0, and
// returns the sum of those in it. Loops, as a token's place decides as well, and the values become fewer.
double Sampler::filter() {
  double mass = 1;
  // solution: filter
  const auto keep_prefix = [&](size_t count, double at_most) {
    const Prefix prefix = shortest_prefix(values_, count, at_most);
    for (size_t i = 0; i < values_.size(); ++i) values_[i] = prefix.contains(i, values_[i]) ? values_[i] : real(0);
    if (prefix.count < values_.size() / 16) close_gaps();
    mass = prefix.mass;
  };
  if (options_.top_k > 0) keep_prefix(static_cast<size_t>(options_.top_k), unlimited);
  if (options_.top_p < 1) keep_prefix(values_.size(), options_.top_p * mass);
  if (options_.min_p > 0) {
    const real least = static_cast<real>(options_.min_p) * *std::ranges::max_element(values_);
    for (real& value : values_) value = value >= least ? value : real(0);
    mass = std::reduce(values_.begin(), values_.end(), 0.0);
  }
  // end of solution
  return mass;
}

// Moves the tokens that are left together, so that what follows has less to look through.
void Sampler::close_gaps() {
  size_t count = 0;
  for (size_t i = 0; i < values_.size(); ++i) {
    if (values_[i] == 0) continue;
    values_[count] = values_[i];
    tokens_[count++] = tokens_[i];
  }
  values_.resize(count);
  tokens_.resize(count);
}

}  // namespace cria
