// Chapter 18: how much a token counts in the loss of a step, by what the loss is a mean of.
#pragma once

#include <span>
#include <vector>

#include "lib/base/view.hpp"

namespace cria {

enum class TokenWeight {
  tokens,    ///< a mean over all tokens of the step (PPO in TRL and torchtune; DAPO): long answers weigh more
  answers,   ///< over answers, of each over its tokens (GRPO's paper, equation 3): a token of a long answer weighs less
  constant,  ///< a sum over tokens by answers times the longest length allowed (Dr. GRPO): length changes no token's
             ///< weight
};

/// The weight of each token of each answer, for the answers of one optimiser step, never of a part of it. `longest` is
/// for `constant`: the most tokens that an answer may have.
std::vector<double> token_weights(std::span<const Range> answers, TokenWeight kind, size_t longest);

}  // namespace cria
