// Chapter 18: a step's answers with all that is learned from them.
#pragma once

#include <vector>

#include "chapters/18-ppo/policy_objective.hpp"
#include "chapters/18-ppo/policy_options.hpp"
#include "chapters/18-ppo/rollouts.hpp"
#include "lib/base/xtensor.hpp"

namespace cria {

/// Made from rollouts; then somebody fills log_p and reference (and values, for a critic), and `appraise` computes the
/// rest. All (B, T), B answers; what stands outside of the answers counts nowhere.
class Experience {
 public:
  /// For steps of `rows` answers at a time (the last may have fewer); answers to one request stand in a row. Throws
  /// UserError as RolloutBatch does.
  Experience(std::vector<Rollout> rollouts, size_t positions, size_t rows, const PolicyOptions& options);

  Batch batch() const { return batch_.batch(); }
  /// The answers of each optimiser step, of one epoch.
  const std::vector<Range>& steps() const { return steps_; }

  View<real, 2> log_p() { return view(log_p_); }          // of the policy that sampled
  View<real, 2> reference() { return view(reference_); }  // of the frozen one
  View<real, 2> values() { return view(values_); }        // of the critic

  /// Rewards, advantages, returns and weights, from what was filled in.
  void appraise();

  PolicyTargets policy_targets() const { return {view(log_p_), view(reference_), view(advantages_), weights_}; }
  ValueTargets value_targets() const { return {view(values_), view(returns_), rewarded_, value_weights_}; }

  std::span<const Rollout> rollouts() const { return rollouts_; }
  std::span<const Range> answers() const { return batch_.answers(); }
  View<const double, 2> rewards() const { return view(rewards_); }
  View<const double, 2> advantages() const { return view(advantages_); }
  View<const double, 2> returns() const { return view(returns_); }

 private:
  void appraise_by_critic(const std::vector<double>& scores);
  void appraise_by_group(const std::vector<double>& scores);

  std::vector<Rollout> rollouts_;
  PolicyOptions options_;
  RolloutBatch batch_;
  std::vector<Range> steps_, rewarded_;
  Array<real, 2> log_p_, reference_, values_;
  Array<double, 2> rewards_, advantages_, returns_;
  std::vector<double> weights_, value_weights_;
};

/// What one step's answers say, as means over them.
struct ExperienceFigures {
  double score = 0;           // as it was judged
  double divergence = 0;      // KL from the reference in nats an answer: the sum of k1 over its tokens
  double entropy = 0;         // nats a token: -log p of what was drawn
  double length = 0;          // tokens, the end token included
  double ended = 0;           // the share of answers that ended by themselves
  double without_spread = 0;  // of groups: the share that teaches nothing
};
ExperienceFigures experience_figures(const Experience& experience, const PolicyOptions& options);

}  // namespace cria
