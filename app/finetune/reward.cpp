// cria finetune --method reward: chapter 16.
#include "app/command_name.hpp"
#include "app/finetune/method.hpp"
#include "chapters/01-bpe/tokenizer_files.hpp"
#include "chapters/14-sft/tuned_model.hpp"
#include "chapters/16-reward-model/reward_folder.hpp"
#include "chapters/16-reward-model/reward_training.hpp"
#include "lib/base/check.hpp"

namespace cria {
namespace {

class RewardTuning : public TuningMethod {
 public:
  RecipeKeys keys() override {
    return {{"reward", "centring", &centring_, "how hard the two rewards of a pair are held around 0; 0: not"}};
  }
  Names usual_data() const override {
    throw UserError("a reward model learns from pairs of answers: --data FILE, as `pairs` writes them");
  }
  void complete(Recipe& recipe) const override { keep_pairs_together(recipe); }

  std::unique_ptr<ModelTraining> begin(const TuningSetup& setup) override {
    const TrainingSubject& subject = setup.subject;
    model_ = std::make_unique<ValueModel>(*subject.weights);
    Random random(setup.state.seed);
    initialise_head(*model_, random);
    const auto describe = [&config = subject.config, &tokenizer = *subject.tokenizer](const auto& folder) {
      write_reward_config(folder / "config.json", config);
      save_tokenizer(tokenizer.model(), folder);
    };
    const auto write = [this](const auto& folder, const ParameterSet&) {
      write_reward_weights(folder / "model.safetensors", *model_);
    };
    const TrainedModel trained = {model_->config(), model_->trainable(), describe, write};
    return std::make_unique<RewardTraining>(with_format(trained, setup.encoder),
                                            PairSource(encode_pairs(read_preferences(setup.data), setup.encoder),
                                                       setup.recipe.validation, setup.state.seed),
                                            setup.recipe, centring_, setup.pool, keys());
  }

  std::string hint(const std::string& base, const std::string& folder) const override {
    return fmt::format("finetune {} --method grpo --reward {}", quoted_for_shell(base), quoted_for_shell(folder));
  }

 private:
  double centring_ = 0;
  std::unique_ptr<ValueModel> model_;
};

}  // namespace

std::unique_ptr<TuningMethod> reward_method() { return std::make_unique<RewardTuning>(); }

}  // namespace cria
