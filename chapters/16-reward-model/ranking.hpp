// Chapter 16: pairs of answers as batches, and the objective that makes the preferred one's reward the higher.
#pragma once

#include <span>
#include <vector>

#include "chapters/10-training-step/trainer.hpp"
#include "chapters/16-reward-model/preference_pair.hpp"
#include "chapters/16-reward-model/ranking_loss.hpp"

namespace cria {

/// Pairs as whole sequences: 2 i is pair i's request with the chosen answer, 2 i + 1 with the rejected one. What is
/// shorter than a sequence is padded behind its end, where nothing sees it.
class RewardBatch {
 public:
  /// Throws UserError that counts the pairs from `first_number` for one that nothing can be learned from, or that is
  /// longer than a sequence.
  RewardBatch(std::span<const PreferencePair> pairs, size_t positions, size_t first_number = 1);

  Batch batch() const;  // without targets
  size_t pairs() const { return margins_.size(); }
  /// Of each sequence, where its last token stands. An answer's reward is the value there.
  const std::vector<size_t>& ends() const { return ends_; }
  /// Of each pair.
  const std::vector<double>& margins() const { return margins_; }

 private:
  size_t positions_;
  std::vector<std::int32_t> tokens_, targets_;
  std::vector<size_t> ends_;
  std::vector<double> margins_;
};

/// The mean loss over all pairs of a step's batch, for a trainer of a value model that keeps two sequences together.
/// Throws UserError for a centring below 0, and ContractError for another batch, or where a micro-batch parts a pair.
Objective ranking_objective(const RewardBatch& pairs, double centring = 0);

/// The rewards of all sequences of a batch, as the trainer's model stands; changes nothing.
std::vector<double> rewards_of(Trainer& trainer, const RewardBatch& pairs);

/// Of such rewards, those of pair i.
inline RewardPair rewards_of_pair(std::span<const double> rewards, size_t i) {
  return {rewards[2 * i], rewards[2 * i + 1]};
}

/// How a reward model judges its pairs, as means over them.
struct RankingFigures {
  double loss = 0, accuracy = 0;    // accuracy: the share of pairs whose chosen answer has the higher reward
  double chosen = 0, rejected = 0;  // rewards
  double margin() const { return chosen - rejected; }
};
RankingFigures ranking_figures(std::span<const double> rewards, std::span<const double> margins, double centring = 0);

}  // namespace cria
