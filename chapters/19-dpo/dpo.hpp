// Chapter 19: direct preference optimisation: pairs of answers as batches, and the objective that a trainer makes
// smaller.
#pragma once

#include <span>
#include <vector>

#include "chapters/10-training-step/objective.hpp"
#include "chapters/16-reward-model/preference_pair.hpp"
#include "chapters/19-dpo/preference_loss.hpp"

namespace cria {

/// Pairs as sequences: 2 i is pair i's request with the chosen answer, 2 i + 1 with the rejected one. Targets are the
/// answers' tokens alone. What is shorter than a sequence is padded behind its end, where nothing sees it.
class PairBatch {
 public:
  /// Throws UserError that counts the pairs from `first_number` for one that nothing can be learned from, or that is
  /// longer than a sequence. Margins are not used.
  PairBatch(std::span<const PreferencePair> pairs, size_t positions, size_t first_number = 1);

  Batch batch() const;
  size_t pairs() const { return sequences_ / 2; }

 private:
  size_t sequences_, positions_;
  std::vector<std::int32_t> tokens_, targets_;
};

/// Σ log p over the targets of each sequence, from their log-probabilities (B, T).
std::vector<double> summed_log_p(View<const real, 2> log_p, View<const std::int32_t, 2> targets);

/// Of such sums, those of pair i.
inline PairLogP of_pair(std::span<const double> sums, size_t i) { return {sums[2 * i], sums[2 * i + 1]}; }

/// How a policy stands to its pairs, as means over them; `policy` and `reference` have two sums of each.
struct PreferenceFigures {
  double loss = 0, accuracy = 0;    // accuracy: the share of pairs with a margin above 0
  double chosen = 0, rejected = 0;  // log(π / ref) of the answers
  double margin() const { return chosen - rejected; }
};
PreferenceFigures preference_figures(std::span<const double> policy, std::span<const double> reference,
                                     std::span<const PreferencePair> pairs, const PreferenceOptions& options);

/// The mean loss over all pairs of a step's batch, for a trainer that keeps two sequences together. `reference` has the
/// sums of all its sequences under the frozen reference, computed once. Throws ContractError for another number of
/// them, or where a micro-batch parts a pair.
Objective preference_objective(std::vector<double> reference, const PreferenceOptions& options);

}  // namespace cria
