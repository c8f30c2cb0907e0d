// Chapter 11, the training run.
#include "chapters/11-pretraining/pretraining.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>

#include "lib/base/check.hpp"
#include "lib/base/file.hpp"

namespace cria {
namespace {

class Clock {
 public:
  explicit Clock(double already) : already_(already) {}
  double seconds() const {
    return already_ + std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  double already_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// A run whose numbers overflowed must end before it writes them over the last good checkpoint.
void require_finite(std::initializer_list<double> numbers, size_t step, const Recipe& recipe,
                    const std::filesystem::path& folder) {
  if (std::ranges::all_of(numbers, [](double number) { return std::isfinite(number); })) return;
  const bool saved = std::filesystem::exists(folder / checkpoint_file);
  throw UserError(fmt::format(
      "the loss is no longer finite at step {}; {}; try a lower optimiser.learning_rate (it is {}), a longer "
      "optimiser.warmup ({}) or a lower optimiser.clip_norm ({})",
      step, saved ? "the last checkpoint in " + folder.string() + " stands" : "no checkpoint was written yet",
      recipe.learning_rate, recipe.warmup, recipe.training.clip_norm));
}

void save(const LlamaParameters& weights, const Tokenizer& tokenizer, const Corpus& corpus, const TrainingState& state,
          const AdamW& optimiser, const std::filesystem::path& folder) {
  ModelConfig config{weights.config(), {}, {}};
  if (corpus.has_documents) {
    config.begin_of_text = tokenizer.bos_id();
    if (const auto end = tokenizer.eos_id()) config.end_of_text = {*end};
  }
  save_model(folder, config, weights, tokenizer);
  write_file_atomically(folder / "recipe.yaml", state.recipe);
  write_checkpoint(folder / checkpoint_file, state, weights, optimiser);
}

}  // namespace

Progress pretrain(const LlamaParameters& weights, const Tokenizer& tokenizer, Corpus& corpus, const Recipe& recipe,
                  TrainingState state, const RunOptions& options, ThreadPool& pool, const Observer& observer) {
  Trainer trainer(weights, recipe.training, pool);
  if (state.step > 0) {
    if (state.fingerprint.value_or(corpus.fingerprint) != corpus.fingerprint)
      throw UserError(fmt::format(
          "{} has changed since this run began, so what was held out might be trained on; expected it as it was",
          state.data));
    read_checkpoint(options.folder / checkpoint_file, weights, trainer.optimiser());
    corpus.training->restore(state.position);
  }
  state.goal_steps = options.steps, state.goal_minutes = options.minutes;
  state.fingerprint = corpus.fingerprint;
  const Clock clock(state.seconds);
  const auto share_done = [&](size_t steps_done) {
    return options.steps ? double(steps_done) / double(*options.steps)
                         : clock.seconds() / (60 * options.minutes.value());
  };
  const Schedule schedule{recipe.learning_rate, recipe.learning_rate * recipe.final_learning_rate, recipe.warmup, 1};
  const double tokens_per_step = double(recipe.training.batch * recipe.training.positions);

  Progress progress;
  progress.floor = corpus.validation.floor;
  progress.step = state.step;
  double step_seconds = 0;  // a running mean
  for (double share = share_done(state.step); share < 1 || state.step == 0;) {
    const double begin = clock.seconds();
    // A step's rate is that of its end where steps are counted, so the first one is not lost at a rate of zero.
    progress.learning_rate = learning_rate(schedule, options.steps ? share_done(state.step + 1) : share);
    const Batch batch = corpus.training->next();
    const StepResult result = trainer.step(batch, progress.learning_rate);
    require_finite({result.loss, result.gradient_norm}, state.step + 1, recipe, options.folder);
    ++state.step;
    const double seconds = clock.seconds() - begin;
    step_seconds = step_seconds == 0 ? seconds : 0.95 * step_seconds + 0.05 * seconds;
    const double before = share;
    share = share_done(state.step);
    state.position = corpus.training->state();

    progress.step = state.step;
    progress.share = std::min(share, 1.0);
    progress.loss = result.loss;
    progress.gradient_norm = result.gradient_norm;
    progress.tokens_per_second = tokens_per_step / step_seconds;
    progress.bits_per_byte =
        result.loss * double(count_targets(batch)) / (std::numbers::ln2 * corpus.training->bytes());
    progress.validation_loss.reset();
    const bool stopping = options.stop && options.stop->load();
    const double interval = double(std::max<size_t>(recipe.evaluations, 1));
    if (share >= 1 || stopping || std::floor(share * interval) > std::floor(before * interval)) {
      if (corpus.validation.targets > 0) {
        progress.validation_loss =
            corpus.validation.loss([&](const Batch& held_out) { return trainer.evaluate(held_out); });
        progress.bits_per_byte = corpus.validation.bits_per_byte(*progress.validation_loss);
      }
      require_finite({progress.validation_loss.value_or(0), global_norm(weights.flat(), pool)}, state.step, recipe,
                     options.folder);
      state.seconds = clock.seconds();
      save(weights, tokenizer, corpus, state, trainer.optimiser(), options.folder);
    }
    progress.seconds = clock.seconds();
    observer(progress);
    if (stopping) break;
  }
  return progress;
}

}  // namespace cria
