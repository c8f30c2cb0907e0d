// Chapter 18: a run of PPO or GRPO, from a model that answers to one whose answers are judged better.
#pragma once

#include <memory>

#include "chapters/11-pretraining/model_training.hpp"
#include "chapters/16-reward-model/value_model.hpp"
#include "chapters/17-rejection-sampling/rejection_training.hpp"
#include "chapters/18-ppo/policy_training.hpp"

namespace cria {

struct PolicyRunOptions {
  size_t prompts = 16;  // of a step, each with policy.samples answers
  size_t judged = 128;  // held-out prompts that a validation answers
  PolicyOptions policy = {};
};

/// A step samples answers to new prompts and learns from them by policy_training.hpp. `data.batch` answers make one
/// optimiser step.
class PolicyRun : public ModelTraining {
 public:
  /// `weights` are the model's as it learns, and `reference` the same as they were. PPO takes a critic, which begins as
  /// it is given and is kept in the checkpoint. All but the prompts and options must outlive this.
  PolicyRun(TrainedModel model, const LlamaWeights& weights, const LlamaParameters& reference,
            const Tokenizer& tokenizer, JudgedPrompts prompts, const Recipe& recipe, const AnswerStyle& style,
            const PolicyRunOptions& options, std::unique_ptr<ValueModel> critic, ThreadPool& pool,
            RecipeKeys own_keys = {});

  void step(double share, Progress& progress) override;
  /// What the judge says of answers to held-out prompts.
  void validate(Progress& progress) override;
  bool is_finite() override;
  double tokens_per_step() const override;

 protected:
  void keep_place(TrainingState& state) const override;
  void find_place(const TrainingState& state) override;
  std::vector<LearnedSet> learned_sets() override;

 private:
  const LlamaWeights& weights_;
  const Tokenizer& tokenizer_;
  JudgedPrompts prompts_;
  AnswerStyle style_;
  PolicyRunOptions options_;
  BatchDecoder decoder_;
  FrozenPolicy reference_;
  std::unique_ptr<ValueModel> critic_;
  std::unique_ptr<Trainer> critic_trainer_;
  PolicyTraining training_;
  std::uint64_t steps_ = 0, fingerprint_ = 0;
};

}  // namespace cria
