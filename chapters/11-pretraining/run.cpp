// Chapter 11, the life of a run.
#include "chapters/11-pretraining/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "lib/base/check.hpp"

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
void require_finite(bool finite, size_t step, const Trainee& trainee, const RunFolder& folder) {
  if (finite) return;
  const bool saved = std::filesystem::exists(folder / checkpoint_file);
  throw UserError(fmt::format(
      "the loss is no longer finite at step {}; {}; try {}", step,
      saved ? "the last checkpoint in " + folder.path().string() + " stands" : "no checkpoint was written yet",
      trainee.remedy()));
}

bool keeps(const RunOptions& options, size_t step) { return options.keep_every > 0 && step % options.keep_every == 0; }

// The model of a checkpoint, which a kill may have kept from being written.
void write_models(Trainee& trainee, const TrainingState& state, const RunOptions& options) {
  trainee.write_weights(options.folder.path());
  if (state.best_loss && state.best_step == state.step) options.folder.keep_best();
  if (keeps(options, state.step)) options.folder.keep_step(state.step);
}

}  // namespace

RunResult run(Trainee& trainee, TrainingState state, const RunOptions& options, const Observer& observer) {
  const RunFolder& folder = options.folder;
  RunLog log(options.log.empty() ? folder / "log.jsonl" : options.log, state.step, options.warn);
  if (state.step > 0)
    write_models(trainee, state, options);
  else
    trainee.write_description(folder.path());
  state.goal = options.goal;
  const Clock clock(state.seconds);
  const auto share_done = [&](size_t steps_done) { return options.goal.share(steps_done, clock.seconds()); };
  const double evaluations = double(std::max<size_t>(options.evaluations, 1));

  Progress progress;
  progress.step = state.step;
  double step_seconds = 0;  // a running mean
  double saved_at = clock.seconds();
  bool stopping = false;
  double share = share_done(state.step);
  while (!stopping && (share < 1 || state.step == 0)) {
    const double begin = clock.seconds();
    progress.validation_loss.reset();
    // A step's rate is that of its end where steps are counted, so the first one is not lost at a rate of zero.
    trainee.step(options.goal.steps ? share_done(state.step + 1) : share, progress);
    ++state.step;
    const auto require_finite_now = [&](bool finite) { require_finite(finite, state.step, trainee, folder); };
    require_finite_now(std::isfinite(progress.loss) && std::isfinite(progress.gradient_norm));
    const double seconds = clock.seconds() - begin;
    step_seconds = step_seconds == 0 ? seconds : 0.95 * step_seconds + 0.05 * seconds;
    const double before = share;
    share = share_done(state.step);
    progress.step = state.step;
    progress.share = std::min(share, 1.0);
    progress.tokens_per_second = trainee.tokens_per_step() / step_seconds;

    stopping = options.stop && options.stop->load();
    const bool validates = share >= 1 || stopping || std::floor(share * evaluations) > std::floor(before * evaluations);
    const bool saves =
        validates || keeps(options, state.step) || clock.seconds() >= saved_at + 60 * options.save_minutes;
    if (validates) trainee.validate(progress);
    if (saves) require_finite_now(std::isfinite(progress.validation_loss.value_or(0)) && trainee.is_finite());
    state.seconds = progress.seconds = clock.seconds();
    log.add(progress);
    if (saves) {
      if (progress.validation_loss && *progress.validation_loss < state.best_loss.value_or(INFINITY))
        state.best_loss = progress.validation_loss, state.best_step = state.step;
      log.sync();
      trainee.write_checkpoint(folder / checkpoint_file, state);
      write_models(trainee, state, options);
      saved_at = clock.seconds();
    }
    observer(progress);
  }
  return {state, progress, log.last_line(), share >= 1};
}

}  // namespace cria
