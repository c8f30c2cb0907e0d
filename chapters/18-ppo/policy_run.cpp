// Chapter 18, the run. A step of it is policy_training.cpp's.
#include "chapters/18-ppo/policy_run.hpp"

#include <algorithm>
#include <cmath>

#include "lib/base/check.hpp"
#include "lib/base/fingerprint.hpp"

namespace cria {
namespace {

constexpr size_t places = 32;  // answers that are sampled side by side

// The seed that the options leave to the run.
PolicyOptions seeded(PolicyOptions options, const AnswerStyle& style) {
  options.seed = style.seed;
  return options;
}

}  // namespace

PolicyRun::PolicyRun(TrainedModel model, const LlamaWeights& weights, const LlamaParameters& reference,
                     const Tokenizer& tokenizer, JudgedPrompts prompts, const Recipe& recipe, const AnswerStyle& style,
                     const PolicyRunOptions& options, std::unique_ptr<ValueModel> critic, ThreadPool& pool,
                     RecipeKeys own_keys)
    : ModelTraining(std::move(model), recipe, pool, std::move(own_keys)),
      weights_(weights),
      tokenizer_(tokenizer),
      prompts_(std::move(prompts)),
      style_(style),
      options_(options),
      decoder_(weights, places, style.positions + 1, pool.size()),
      reference_(reference.config(), reference, recipe.training.lanes, recipe.training.micro_batch,
                 recipe.training.positions, pool),
      critic_(std::move(critic)),
      critic_trainer_(critic_
                          ? std::make_unique<Trainer>(critic_->config(), critic_->trainable(), recipe.training, pool)
                          : nullptr),
      training_({trainer(), decoder_, reference_, critic_trainer_.get()}, tokenizer, style.end,
                seeded(options.policy, style)) {
  const std::span<const real> numbers = reference.flat();
  fingerprint_ =
      bulk_fingerprint({reinterpret_cast<const char*>(numbers.data()), numbers.size_bytes()}, prompts_.fingerprint);
  if (options.prompts == 0 || options.judged == 0) throw UserError("policy.prompts and judged must be at least 1");
}

void PolicyRun::step(double share, Progress& progress) {
  const std::uint64_t first = steps_ * options_.prompts;
  std::vector<std::vector<TokenId>> prompts;
  for (size_t i = 0; i < options_.prompts; ++i) prompts.push_back(prompts_.prompt(first + i));
  progress.learning_rate = rate_at(share);
  const PolicyFigures figures =
      training_.step(prompts, steps_++, progress.learning_rate, [&](std::span<const FinishedText> answers) {
        if (prompts_.proxy && prompts_.judge) progress.figures["right"] = mean(prompts_.judge(first, answers));
        return prompts_.reward()(first, answers);
      });
  progress.loss = figures.loss;
  progress.gradient_norm = figures.gradient_norm;
  progress.figures["reward"] = figures.answers.score;
  progress.figures["KL"] = figures.answers.divergence;
  progress.figures["entropy"] = figures.answers.entropy;
  progress.figures["clipped"] = figures.clip_share;
  if (critic_) progress.figures["explained"] = figures.explained;
}

void PolicyRun::validate(Progress& progress) {
  validate_answers(weights_, tokenizer_, prompts_, options_.judged, style_, pool().size(), progress);
}

bool PolicyRun::is_finite() {
  return ModelTraining::is_finite() && (!critic_ || std::isfinite(global_norm(critic_->flat(), pool())));
}

double PolicyRun::tokens_per_step() const {
  return double(options_.prompts * options_.policy.samples * options_.policy.epochs * recipe().training.positions);
}

void PolicyRun::keep_place(TrainingState& state) const {
  state.position = steps_;
  state.updates = trainer().optimiser().steps();
  state.fingerprint = fingerprint_;
}

void PolicyRun::find_place(const TrainingState& state) {
  require_unchanged(state, fingerprint_, "the requests, the model that this run began with, or the reward model,");
  steps_ = state.position;
}

std::vector<LearnedSet> PolicyRun::learned_sets() {
  std::vector<LearnedSet> sets = ModelTraining::learned_sets();
  if (critic_) sets.push_back({*critic_, critic_trainer_->optimiser(), "critic"});
  return sets;
}

}  // namespace cria
