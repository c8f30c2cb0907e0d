// Chapter 18, from log-probabilities and advantages to a number for each token. It leaves out where these come from:
// experience.cpp.
#include "chapters/18-ppo/policy_objective.hpp"

#include "lib/base/check.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {

Objective keep_log_p(View<real, 2> log_p) {
  return [log_p](const RatedTargets& rated) {
    const size_t first = rated.batch.first;
    noalias(log_p.rows(first, first + rated.log_p.shape(0))) = rated.log_p;
    return 0.0;
  };
}

Objective policy_objective(const PolicyTargets& targets, const PolicyLossOptions& options,
                           std::span<RowFigures> figures) {
  require_valid(options);
  const Shape<2> shape = targets.old_log_p.shape();
  const bool held = options.kl_coefficient > 0;
  require_shape("policy_objective: advantages", targets.advantages, shape);
  if (held) require_shape("policy_objective: reference", targets.reference, shape);
  require(targets.weights.size() == shape[0], "policy_objective", "needs one weight for each row");
  require(figures.empty() || figures.size() == shape[0], "policy_objective", "needs figures for each row, or none");
  return [=](const RatedTargets& rated) {
    const size_t first = rated.batch.first, B = rated.log_p.shape(0), T = rated.log_p.shape(1);
    require(first + B <= shape[0] && T == shape[1], "policy_objective", "the batch is not that of the rollouts");
    double loss = 0;
    for (size_t b = 0; b < B; ++b) {
      RowFigures row;
      for (size_t t = 0; t < T; ++t) {
        if (rated.batch.targets(b, t) == no_target) continue;
        TokenLogP log_p;
        TokenLoss token{0, 0, false};
        // solution: policy_objective
        const size_t n = first + b;
        log_p = {rated.log_p(b, t), targets.old_log_p(n, t), held ? targets.reference(n, t) : 0};
        token = policy_loss(log_p, targets.advantages(n, t), options);
        loss += targets.weights[n] * token.loss;
        rated.d_log_p(b, t) = real(targets.weights[n] * token.slope);
        // end of solution
        ++row.tokens;
        row.clipped += token.clipped ? 1 : 0;
        row.moved += kl_estimate(KlEstimate::k3, log_p.old - log_p.policy).value;
      }
      if (!figures.empty()) figures[first + b] = row;
    }
    return loss;
  };
}

Objective value_objective(const ValueTargets& targets, const ValueLossOptions& options, std::span<RowFigures> figures) {
  require_valid(options);
  const Shape<2> shape = targets.old_values.shape();
  require_shape("value_objective: returns", targets.returns, shape);
  require(targets.rewarded.size() == shape[0] && targets.weights.size() == shape[0], "value_objective",
          "needs one range and one weight for each row");
  require(figures.empty() || figures.size() == shape[0], "value_objective", "needs figures for each row, or none");
  return [=](const RatedTargets& rated) {
    const size_t first = rated.batch.first, B = rated.values.shape(0), T = rated.values.shape(1);
    require(first + B <= shape[0] && T == shape[1], "value_objective", "the batch is not that of the rollouts");
    double loss = 0;
    for (size_t b = 0; b < B; ++b) {
      const size_t n = first + b;
      RowFigures row;
      for (size_t t = targets.rewarded[n].begin; t < targets.rewarded[n].end; ++t) {
        ValueTerm term{0, 0, false};
        // solution: value_objective
        term = value_loss(rated.values(b, t), targets.old_values(n, t), targets.returns(n, t), options);
        const double weight = options.coefficient * targets.weights[n];
        loss += weight * term.loss;
        rated.d_values(b, t) = real(weight * term.slope);
        // end of solution
        ++row.tokens;
        row.clipped += term.clipped ? 1 : 0;
      }
      if (!figures.empty()) figures[n] = row;
    }
    return loss;
  };
}

}  // namespace cria
