// Chapter 17: a run of rejection sampling fine-tuning: the model learns the best of its own answers, again and again.
#pragma once

#include <string>
#include <vector>

#include "chapters/11-pretraining/model_training.hpp"
#include "chapters/11-pretraining/shuffled_documents.hpp"
#include "chapters/17-rejection-sampling/judged_prompts.hpp"
#include "chapters/17-rejection-sampling/rejection.hpp"

namespace cria {

struct RejectionOptions {
  size_t prompts = 128;       // new ones in each round
  size_t samples = 8;         // answers to each of them, of which the best is kept
  double temperature = 1;     // at which they are drawn; validations draw at 1
  size_t steps = 60;          // of training between two rounds
  double least_reward = 0.5;  // of an answer that is learned
  size_t judged = 128;        // held-out prompts that a validation answers
};

/// How answers are drawn, and where they end.
struct AnswerStyle {
  std::vector<TokenId> ends;
  TokenId end = 0;       // the one that is learned
  size_t positions = 0;  // of a prompt with its answer, at most
  std::uint64_t seed = 1;
  double temperature = 1;
};

/// One round of sample_round: `samples` answers to each of `count` prompts from number `first` on. Returns their
/// rewards.
std::vector<double> answer_prompts(const LlamaWeights& weights, const Tokenizer& tokenizer,
                                   const JudgedPrompts& prompts, std::uint64_t first, size_t count, size_t samples,
                                   const AnswerStyle& style, size_t round, size_t threads, BestAnswers& best);

/// Answers the first `count` held-out prompts. Says what the judge gives on average, as the figure "obeyed", and the
/// rest as the validation's loss; and where a proxy is learned from, what that gives, which without a judge is the
/// loss, negative.
void validate_answers(const LlamaWeights& weights, const Tokenizer& tokenizer, JudgedPrompts prompts, size_t count,
                      const AnswerStyle& style, size_t threads, Progress& progress);

/// Every so many steps a round: answers to new prompts are sampled from the model as it is now, and the best to each is
/// kept, if it is good enough, with those of all rounds before. The steps between are chapter 14's, on what is kept.
class RejectionTraining : public ModelTraining {
 public:
  /// `weights` are those of the model in training, as it is at any time. All but the prompts must outlive this.
  RejectionTraining(TrainedModel model, const LlamaWeights& weights, const Tokenizer& tokenizer, JudgedPrompts prompts,
                    const Recipe& recipe, const AnswerStyle& style, const RejectionOptions& options, ThreadPool& pool,
                    RecipeKeys own_keys = {});

  void step(double share, Progress& progress) override;
  /// What the judge says of answers to held-out prompts.
  void validate(Progress& progress) override;

 protected:
  void keep_place(TrainingState& state) const override;
  void find_place(const TrainingState& state) override;

 private:
  void sample(Progress& progress);
  void learn(std::uint64_t prompt, const std::vector<TokenId>& answer);

  const LlamaWeights& weights_;
  const Tokenizer& tokenizer_;
  JudgedPrompts prompts_;
  AnswerStyle style_;
  RejectionOptions options_;
  ShuffledDocuments documents_;
  std::unique_ptr<BatchSource> batches_;
  std::uint64_t steps_ = 0;
  std::string kept_;  // all that is learned from: the prompt's number and the answer's tokens, a line each
};

}  // namespace cria
