// Chapter 17: how good a policy is, and how far from the model that it began as.
#pragma once

#include "chapters/17-rejection-sampling/rejection_training.hpp"

namespace cria {

struct PolicyStanding {
  double reward = 0;      // the mean over the answers
  double divergence = 0;  // KL(policy || reference) of an answer, in nats: the mean of log(policy / reference) over
                          // what the policy answers
  double divergence_error = 0;  // the standard error of that mean
};

/// From an answer of the policy to each of `count` prompts from number `first` on. The answers' log-probabilities are
/// those at temperature 1, at which they are drawn.
PolicyStanding measure_policy(const LlamaWeights& policy, const LlamaWeights& reference, const Tokenizer& tokenizer,
                              const JudgedPrompts& prompts, std::uint64_t first, size_t count, const AnswerStyle& style,
                              ThreadPool& pool);

}  // namespace cria
