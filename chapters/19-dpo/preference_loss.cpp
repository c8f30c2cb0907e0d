// Chapter 19, the losses of a pair. It leaves out where log-probabilities come from: dpo.cpp.
#include "chapters/19-dpo/preference_loss.hpp"

#include <fmt/format.h>

#include <cmath>

#include "chapters/16-reward-model/ranking_loss.hpp"
#include "lib/base/check.hpp"

namespace cria {
namespace {

double sigmoid_of(double x) { return std::exp(log_sigmoid(x)); }

}  // namespace

void require_valid(const PreferenceOptions& options) {
  if (!(options.beta > 0) || !std::isfinite(options.beta))
    throw UserError(fmt::format("beta is {}, expected more than 0", options.beta));
  if (!(options.label_smoothing >= 0 && options.label_smoothing <= 0.5))
    throw UserError(fmt::format("label_smoothing is {}, expected 0 to 0.5", options.label_smoothing));
  if (options.loss == PreferenceLoss::ipo && options.label_smoothing > 0)
    throw UserError("label_smoothing belongs to the sigmoid loss, expected 0 with ipo");
  if (!(options.nll_weight >= 0) || !std::isfinite(options.nll_weight))
    throw UserError(fmt::format("nll_weight is {}, expected 0 or more", options.nll_weight));
}

double preference_margin(const PairLogP& policy, const PairLogP& reference) {
  // solution: preference_margin
  return (policy.chosen - reference.chosen) - (policy.rejected - reference.rejected);
  // end of solution
}

PairLoss preference_loss(const PairLogP& policy, const PairLogP& reference, const PreferenceOptions& options) {
  require_valid(options);
  const double h = preference_margin(policy, reference), beta = options.beta, e = options.label_smoothing;
  double loss = 0, d_margin = 0;
  if (options.loss == PreferenceLoss::sigmoid) {
    // solution: sigmoid_loss
    loss = -(1 - e) * log_sigmoid(beta * h) - e * log_sigmoid(-beta * h);
    // log σ(x) has the derivative σ(-x) = 1 - σ(x): -(1 - e) β (1 - σ) + e β σ = β (σ - (1 - e))
    d_margin = beta * (e * sigmoid_of(beta * h) - (1 - e) * sigmoid_of(-beta * h));
    // end of solution
  } else {
    // solution: ipo_loss
    const double excess = h - 1 / (2 * beta);
    loss = excess * excess;
    d_margin = 2 * excess;
    // end of solution
  }
  return {loss, {d_margin, -d_margin}};
}

ChosenLoss chosen_loss(double log_p, std::size_t tokens, const PreferenceOptions& options) {
  // solution: chosen_loss
  const double weight = options.nll_weight / double(tokens);
  return {-weight * log_p, -weight};
  // end of solution
}

double implicit_reward(double policy, double reference, double beta) { return beta * (policy - reference); }

}  // namespace cria
