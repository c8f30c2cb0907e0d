// Chapter 18, answers as batches. It leaves out how they are sampled: policy_training.cpp.
#include "chapters/18-ppo/rollouts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "lib/base/check.hpp"

namespace cria {
namespace {

void check_rollout(const Rollout& rollout, size_t number, size_t positions) {
  const auto fault = [&](const std::string& what) { throw UserError(fmt::format("answer {}: {}", number, what)); };
  if (rollout.prompt.empty()) fault("its request has no tokens, expected at least one");
  if (rollout.answer.empty()) fault("it has no tokens, expected at least one");
  const size_t length = rollout.prompt.size() + rollout.answer.size();
  if (length > positions + 1)
    fault(fmt::format("with its request it has {} tokens, expected at most {}", length, positions + 1));
  if (!std::isfinite(rollout.score)) fault(fmt::format("its score is {}, expected a number", rollout.score));
}

}  // namespace

RolloutBatch::RolloutBatch(std::span<const Rollout> rollouts, size_t positions)
    : positions_(positions), tokens_(rollouts.size() * positions, 0), targets_(rollouts.size() * positions, no_target) {
  for (size_t b = 0; b < rollouts.size(); ++b) {
    const std::vector<std::int32_t>&prompt = rollouts[b].prompt, &answer = rollouts[b].answer;
    check_rollout(rollouts[b], b + 1, positions);
    // The last token is read only where there is room: nothing is chosen behind it, but a critic may rate it.
    const size_t read = std::min(answer.size(), positions - prompt.size());
    const auto tokens = tokens_.begin() + std::ptrdiff_t(b * positions);
    const auto targets = targets_.begin() + std::ptrdiff_t(b * positions);
    // solution: rollout_batch
    std::copy_n(answer.begin(), read, std::ranges::copy(prompt, tokens).out);
    answers_.push_back({prompt.size() - 1, prompt.size() - 1 + answer.size()});
    std::ranges::copy(answer, targets + std::ptrdiff_t(answers_.back().begin));
    // end of solution
  }
}

Batch RolloutBatch::batch() const {
  const Shape<2> shape = {size(), positions_};
  return {{tokens_.data(), shape}, {targets_.data(), shape}};
}

}  // namespace cria
