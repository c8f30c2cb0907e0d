// Chapter 16, from pairs of answers to a gradient for two of their positions. It leaves out the loop over steps
// (chapter 11) and where pairs come from.
#include "chapters/16-reward-model/ranking.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "chapters/16-reward-model/value_evaluator.hpp"
#include "lib/base/check.hpp"
#include "lib/base/xtensor.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {

RewardBatch::RewardBatch(std::span<const PreferencePair> pairs, size_t positions, size_t first_number)
    : positions_(positions),
      tokens_(2 * pairs.size() * positions, 0),
      targets_(tokens_.size(), no_target),
      ends_(2 * pairs.size()) {
  for (size_t i = 0; i < pairs.size(); ++i) {
    require_valid(pairs[i], first_number + i, positions);
    margins_.push_back(pairs[i].margin);
    for (const size_t sequence : {2 * i, 2 * i + 1}) {
      const std::vector<std::int32_t>& answer = sequence % 2 == 0 ? pairs[i].chosen : pairs[i].rejected;
      const auto begin = tokens_.begin() + std::ptrdiff_t(sequence * positions);
      // solution: reward_batch
      // The whole answer is read, with its end: only there it is known to be complete.
      std::ranges::copy(answer, std::ranges::copy(pairs[i].prompt, begin).out);
      ends_[sequence] = pairs[i].prompt.size() + answer.size() - 1;
      // end of solution
    }
  }
}

Batch RewardBatch::batch() const {
  const Shape<2> shape = {ends_.size(), positions_};
  return {{tokens_.data(), shape}, {targets_.data(), shape}};
}

Objective ranking_objective(const RewardBatch& batch, double centring) {
  if (!(centring >= 0) || !std::isfinite(centring))
    throw UserError(fmt::format("centring is {}, expected 0 or more", centring));
  return [ends = batch.ends(), margins = batch.margins(), centring](const RatedTargets& rated) {
    const size_t first = rated.batch.first, B = rated.values.shape(0), pairs = margins.size();
    require(!rated.values.empty(), "ranking_objective", "the model gives no values");
    require(first % 2 == 0 && B % 2 == 0, "ranking_objective", "a micro-batch parts a pair");
    require(first + B <= ends.size(), "ranking_objective", "the batch has more sequences than the pairs");
    double loss = 0;
    for (size_t b = 0; b < B; b += 2) {
      // solution: ranking_objective
      const size_t i = (first + b) / 2;
      const size_t chosen_end = ends[2 * i], rejected_end = ends[2 * i + 1];
      const RewardPair reward{rated.values(b, chosen_end), rated.values(b + 1, rejected_end)};
      const RankingLoss pair = ranking_loss(reward, margins[i], centring);
      loss += pair.loss / double(pairs);
      rated.d_values(b, chosen_end) = real(pair.d_reward.chosen / double(pairs));
      rated.d_values(b + 1, rejected_end) = real(pair.d_reward.rejected / double(pairs));
      // end of solution
    }
    return loss;
  };
}

std::vector<double> rewards_of(Trainer& trainer, const RewardBatch& pairs) {
  const Batch batch = pairs.batch();
  Array<real, 2> values(batch.tokens.shape());
  trainer.evaluate(batch, keep_values(view(values)));
  std::vector<double> rewards;
  for (size_t b = 0; b < pairs.ends().size(); ++b) rewards.push_back(values(b, pairs.ends()[b]));
  return rewards;
}

RankingFigures ranking_figures(std::span<const double> rewards, std::span<const double> margins, double centring) {
  require(rewards.size() == 2 * margins.size() && !margins.empty(), "ranking_figures",
          "needs two rewards and a margin for each pair");
  RankingFigures figures;
  const double pairs = double(margins.size());
  for (size_t i = 0; i < margins.size(); ++i) {
    const RewardPair reward = rewards_of_pair(rewards, i);
    figures.loss += ranking_loss(reward, margins[i], centring).loss / pairs;
    figures.accuracy += (reward.chosen > reward.rejected ? 1.0 : 0.0) / pairs;
    figures.chosen += reward.chosen / pairs;
    figures.rejected += reward.rejected / pairs;
  }
  return figures;
}

}  // namespace cria
