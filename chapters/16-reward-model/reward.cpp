// Chapter 16, rewards of texts.
#include "chapters/16-reward-model/reward.hpp"

#include <algorithm>
#include <numeric>

#include "chapters/16-reward-model/value_evaluator.hpp"
#include "lib/base/check.hpp"

namespace cria {

std::vector<double> rewards_of(const ValueModel& model, std::span<const std::vector<std::int32_t>> sequences,
                               ThreadPool& pool) {
  size_t longest = 0;
  for (const std::vector<std::int32_t>& sequence : sequences) {
    require(!sequence.empty(), "rewards_of", "a sequence has no tokens");
    longest = std::max(longest, sequence.size());
  }
  std::vector<double> rewards(sequences.size());
  const size_t lanes = std::min(pool.size(), sequences.size());
  pool.for_each(lanes, [&](size_t lane) {
    ValueEvaluator evaluator(model.config(), 1, longest, false);
    for (size_t i = lane; i < sequences.size(); i += lanes) {
      const View<const std::int32_t, 2> tokens(sequences[i].data(), {1, sequences[i].size()});
      rewards[i] = evaluator.forward(model.weights(), {tokens, tokens})(0, tokens.shape(1) - 1);
    }
  });
  return rewards;
}

void centre(const ValueModel& model, std::span<const double> rewards) {
  require(!rewards.empty(), "centre", "needs at least one reward");
  // solution: centre
  model.bias() -= real(std::accumulate(rewards.begin(), rewards.end(), 0.0) / double(rewards.size()));
  // end of solution
}

}  // namespace cria
