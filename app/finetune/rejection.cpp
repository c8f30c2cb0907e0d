// cria finetune --method rejection: chapter 17.
#include <fmt/format.h>

#include "app/finetune/method.hpp"
#include "chapters/14-sft/prompt_data.hpp"
#include "chapters/14-sft/tuned_model.hpp"
#include "chapters/17-rejection-sampling/rejection_training.hpp"
#include "lib/base/check.hpp"

namespace cria {
namespace {

class Rejection : public TuningMethod {
 public:
  RecipeKeys keys() override {
    return {{"rejection", "prompts", &options_.prompts, "new ones in each round"},
            {"rejection", "samples", &options_.samples, "answers to each of them, of which the best is kept"},
            {"rejection", "temperature", &options_.temperature, "at which they are drawn; validations draw at 1"},
            {"rejection", "steps", &options_.steps, "of training between two rounds"},
            {"rejection", "least_reward", &options_.least_reward, "of an answer that is learned"},
            {"rejection", "judged", &options_.judged, "held-out prompts that a validation answers"}};
  }

  bool needs_base() const override { return false; }
  bool learns_from_rewards() const override { return true; }

  std::unique_ptr<ModelTraining> begin(const TuningSetup& setup) override {
    const TrainingSubject& subject = setup.subject;
    return std::make_unique<RejectionTraining>(
        with_format(whole_model(subject.config, *subject.weights, *subject.tokenizer), setup.encoder), *subject.weights,
        *subject.tokenizer, judged_prompts(setup), setup.recipe, answer_style(setup), options_, setup.pool, keys());
  }

 private:
  RejectionOptions options_;
};

}  // namespace

JudgedPrompts judged_prompts(const TuningSetup& setup) {
  JudgedPrompts prompts;
  if (setup.data.is_requests()) {
    prompts = story_prompts(std::make_shared<StoryRequests>(setup.state.seed), setup.encoder);
    if (!setup.reward) return prompts;
  } else {
    if (!setup.reward)
      throw UserError(fmt::format(
          "the answers to {} have no judge, expected a reward model's folder by --reward, or --data requests",
          setup.data.name));
    std::vector<std::vector<TokenId>> tokens;
    for (const Prompt& prompt : read_prompts(setup.data)) {
      tokens.push_back(setup.encoder.prompt(prompt.messages));
      if (tokens.back().size() >= setup.recipe.training.positions)
        throw UserError(fmt::format("{}: has {} tokens, more than a context of {} has room for", prompt.place,
                                    tokens.back().size(), setup.recipe.training.positions));
    }
    prompts = own_prompts(std::move(tokens), setup.recipe.validation, setup.state.seed);
  }
  return marked_by(*setup.reward, std::move(prompts), setup.encoder.end_of_turn(), setup.pool);
}

AnswerStyle answer_style(const TuningSetup& setup) {
  return {setup.subject.config.end_of_text, setup.encoder.end_of_turn(), setup.recipe.training.positions,
          setup.state.seed << 32};
}

std::unique_ptr<TuningMethod> rejection_method() { return std::make_unique<Rejection>(); }

}  // namespace cria
