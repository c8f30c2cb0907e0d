// Chapter 18: training by reinforcement, PPO or GRPO: a step samples answers, has them judged, and goes through them a
// few times.
#pragma once

#include "chapters/10-training-step/trainer.hpp"
#include "chapters/17-rejection-sampling/rejection.hpp"
#include "chapters/18-ppo/experience.hpp"
#include "chapters/18-ppo/frozen_policy.hpp"

namespace cria {

/// The models of a run. Each must outlive it.
struct PolicyModels {
  Trainer& policy;            // its batch is what one optimiser step sees
  BatchDecoder& decoder;      // of the policy's weights, which it reads anew in each step
  FrozenPolicy& reference;    // where the policy began
  Trainer* critic = nullptr;  // of a value model (chapter 16); for PPO alone
};

/// What a step did, as means over its answers, tokens and optimiser steps.
struct PolicyFigures {
  ExperienceFigures answers;
  double loss = 0;           // of the policy. About 0 when it begins: what counts is its gradient
  double gradient_norm = 0;  // before clipping
  double clip_share = 0;     // tokens at which the clip held
  double moved = 0;          // KL from the policy that sampled, in nats a token
  double value_loss = 0;     // times its coefficient
  double value_clip_share = 0;
  double explained = 0;  // share of the returns' variance that the values knew before the step; 1 is all, below 0 harm
};

class PolicyTraining {
 public:
  /// Answers end at the token `end`. Throws UserError for options out of their range, and ContractError for a critic
  /// that is missing or not asked for.
  PolicyTraining(const PolicyModels& models, const Tokenizer& tokenizer, TokenId end, const PolicyOptions& options);

  /// Samples `samples` answers to each prompt, as the policy is (temperature 1, nothing filtered: the ratio is one of
  /// what the model says), has them judged, and learns from them for some epochs. The same step number gives the same
  /// seeds, on any number of threads. Throws UserError for a prompt that leaves no room for an answer.
  PolicyFigures step(std::span<const std::vector<TokenId>> prompts, std::uint64_t number, double learning_rate,
                     const Reward& reward);

  /// The first half of a step: answers to each prompt, those to one prompt in a row, with their scores.
  std::vector<Rollout> sample(std::span<const std::vector<TokenId>> prompts, std::uint64_t number,
                              const Reward& reward);
  /// And the second.
  PolicyFigures learn(std::vector<Rollout> rollouts, double learning_rate);

 private:
  void rate(Experience& experience);

  PolicyModels models_;
  const Tokenizer& tokenizer_;
  TokenId end_;
  PolicyOptions options_;
};

}  // namespace cria
