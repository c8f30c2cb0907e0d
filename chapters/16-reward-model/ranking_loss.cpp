// Chapter 16, the loss of a pair. It leaves out where rewards come from: value_evaluator.cpp.
#include "chapters/16-reward-model/ranking_loss.hpp"

#include <algorithm>
#include <cmath>

namespace cria {

double log_sigmoid(double x) { return std::min(x, 0.0) - std::log1p(std::exp(-std::abs(x))); }

RankingLoss ranking_loss(const RewardPair& reward, double margin, double centring) {
  // solution: ranking_loss
  const double excess = reward.chosen - reward.rejected - margin, sum = reward.chosen + reward.rejected;
  const double loss = -log_sigmoid(excess) + centring * sum * sum;
  // -log σ(x) has the derivative σ(x) - 1 = -σ(-x): the probability that the pair is the other way round.
  const double d_excess = -std::exp(log_sigmoid(-excess)), d_sum = 2 * centring * sum;
  return {loss, {d_sum + d_excess, d_sum - d_excess}};
  // end of solution
}

}  // namespace cria
