// cria finetune --method dpo: chapter 19.
#include "app/finetune/method.hpp"
#include "chapters/14-sft/tuned_model.hpp"
#include "chapters/19-dpo/preference_training.hpp"
#include "lib/base/check.hpp"

namespace cria {
namespace {

class Dpo : public TuningMethod {
 public:
  RecipeKeys keys() override {
    return {{"dpo", "loss", &loss_, "of a pair: sigmoid or ipo"},
            {"dpo", "beta", &options_.beta, "how hard the model is held to the one that it began as"},
            {"dpo", "label_smoothing", &options_.label_smoothing,
             "the share of pairs that are believed to be the wrong way round"},
            {"dpo", "nll_weight", &options_.nll_weight,
             "of the chosen answer's loss per token, which is added; Llama 3 takes 0.2"}};
  }
  Names usual_data() const override {
    throw UserError("dpo learns from pairs of answers: --data FILE, as `pairs` writes them");
  }
  void complete(Recipe& recipe) const override { keep_pairs_together(recipe); }

  std::unique_ptr<ModelTraining> begin(const TuningSetup& setup) override {
    if (loss_ != "sigmoid" && loss_ != "ipo") throw UserError("dpo.loss is " + loss_ + ", expected sigmoid or ipo");
    options_.loss = loss_ == "ipo" ? PreferenceLoss::ipo : PreferenceLoss::sigmoid;
    const TrainingSubject& subject = setup.subject;
    return std::make_unique<PreferenceTraining>(
        with_format(whole_model(subject.config, *subject.weights, *subject.tokenizer), setup.encoder),
        PairSource(encode_pairs(read_preferences(setup.data), setup.encoder), setup.recipe.validation,
                   setup.state.seed),
        setup.recipe, options_, setup.pool, keys());
  }

 private:
  std::string loss_ = "sigmoid";
  PreferenceOptions options_;
};

}  // namespace

std::unique_ptr<TuningMethod> dpo_method() { return std::make_unique<Dpo>(); }

}  // namespace cria
