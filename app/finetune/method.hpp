// The methods of `cria finetune`: what each of them trains, on which data, with which keys of a recipe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/train/training_setup.hpp"
#include "app/train/training_subject.hpp"
#include "chapters/11-pretraining/recipe_keys.hpp"
#include "chapters/17-rejection-sampling/rejection_training.hpp"

namespace cria {

/// What a run trains with. All of it outlives the training.
struct TuningSetup {
  TrainingSubject& subject;
  const InstructionEncoder& encoder;
  const Data& data;
  const Recipe& recipe;
  const TrainingState& state;
  const ValueModel* reward;  // null: the exact judge
  ThreadPool& pool;
};

class TuningMethod {
 public:
  virtual ~TuningMethod() = default;

  /// The keys that a recipe has for this method, and their places here.
  virtual RecipeKeys keys() { return {}; }
  /// What is trained on where the user does not say.
  virtual Names usual_data() const { return {"requests"}; }
  /// What follows from the method whatever the recipe says. Throws UserError for a recipe that it cannot work with.
  virtual void complete(Recipe&) const {}
  /// Whether a run goes on only where the model is that it began with.
  virtual bool needs_base() const { return true; }
  /// Whether something must judge its answers, which may be a reward model.
  virtual bool learns_from_rewards() const { return false; }
  /// The model to begin with.
  virtual TrainingSubject open(const TrainOptions& options, Recipe& recipe) {
    return subject_from_model(options, recipe);
  }
  /// The training, which keeps what it needs of this object.
  virtual std::unique_ptr<ModelTraining> begin(const TuningSetup& setup) = 0;
  /// What to try with the result, behind the program's name. `base` is the model that it began with.
  virtual std::string hint(const std::string& base, const std::string& folder) const;
};

/// Throws UserError that names all methods for a name that none has.
std::unique_ptr<TuningMethod> find_method(const std::string& name);

/// "sft: …", a method a line.
std::string method_help();

/// Of the setup's data. Throws UserError for data whose answers nobody can judge.
JudgedPrompts judged_prompts(const TuningSetup& setup);
/// How its model answers.
AnswerStyle answer_style(const TuningSetup& setup);

// One for each.
std::unique_ptr<TuningMethod> sft_method();
std::unique_ptr<TuningMethod> lora_method();
std::unique_ptr<TuningMethod> adapter_method();
std::unique_ptr<TuningMethod> dpo_method();
std::unique_ptr<TuningMethod> rejection_method();
std::unique_ptr<TuningMethod> reward_method();
std::unique_ptr<TuningMethod> ppo_method();
std::unique_ptr<TuningMethod> grpo_method();

}  // namespace cria
