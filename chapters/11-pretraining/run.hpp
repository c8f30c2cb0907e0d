// The life of a training run, whatever is trained: steps until its goal, a log, validations, checkpoints, and the same
// run again after a kill. A kind of training is a Trainee; what it has to keep is in its checkpoint.
//
// At any moment the folder holds a state from which the run goes on (run_folder.hpp says which there are). When a step
// is saved, its log line is written first, then the checkpoint, then the model, then the best and the kept model: each
// of them may be missing after a kill, and is made again from those before it.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "chapters/11-pretraining/run_folder.hpp"
#include "chapters/11-pretraining/run_log.hpp"

namespace cria {

/// Where a run ends: after so many steps, or after so much time. One of them is given.
struct Goal {
  std::optional<size_t> steps = {};
  std::optional<double> minutes = {};

  bool given() const { return steps || minutes; }
  /// Of the run that is done: 1 at its end, and more behind it.
  double share(size_t steps_done, double seconds) const {
    return steps ? double(steps_done) / double(*steps) : seconds / (60 * minutes.value());
  }
};

struct TrainingState {
  size_t step = 0;             // steps done
  double seconds = 0;          // spent on them, validation included
  std::uint64_t position = 0;  // the batch source's state
  std::string data;            // what is trained on: "stories", or paths, one a line
  std::uint64_t seed = 0;
  std::string recipe;       // as YAML
  std::string method = {};  // of fine-tuning; empty: pretraining
  std::string base = {};    // where the model was that it began with, for a method that needs it to go on
  std::string reward = {};  // where the reward model was that it learns from, if it does
  std::optional<std::uint64_t> updates = {};  // of the weights, where a step makes more than one
  std::string kept = {};                      // what else the next step depends on, as the kind of training writes it
  // Checkpoints from before these were kept lack them.
  Goal goal = {};
  std::optional<std::uint64_t> fingerprint = {};  // of the data
  std::optional<double> best_loss = {};           // the lowest validation loss, and its step
  size_t best_step = 0;
};

/// What is trained, as its run sees it.
class Trainee {
 public:
  virtual ~Trainee() = default;
  /// One step. `share` of the run is done after it where steps are counted, before it where time is; the learning rate
  /// follows it. Says loss, bits per byte, learning rate and gradient norm.
  virtual void step(double share, Progress& progress) = 0;
  /// Measures on what is held out, if anything is; says validation loss and bits per byte.
  virtual void validate(Progress& progress) = 0;
  /// Whether all weights are numbers.
  virtual bool is_finite() = 0;
  /// What to try when the loss no longer is one: "a lower optimiser.learning_rate (it is 1)".
  virtual std::string remedy() const = 0;
  /// Tokens that a step works on.
  virtual double tokens_per_step() const = 0;

  /// What a model's folder holds besides its weights; written when a run begins.
  virtual void write_description(const std::filesystem::path& folder) = 0;
  /// All that the next step depends on, into one file, whole or not at all.
  virtual void write_checkpoint(const std::filesystem::path& file, const TrainingState& state) = 0;
  virtual void write_weights(const std::filesystem::path& folder) = 0;
};

struct RunOptions {
  const RunFolder& folder;  // where the model and its checkpoints go
  Goal goal;
  size_t evaluations = 10;                  // validations in the course of the run, each with a checkpoint
  double save_minutes = 5;                  // and a checkpoint after so much time without one
  size_t keep_every = 0;                    // steps after which a model is kept, with a checkpoint; 0: never
  std::filesystem::path log = {};           // empty: log.jsonl in the folder
  const std::atomic<bool>* stop = nullptr;  // set from outside: the run writes a checkpoint and ends
  Warn warn = [](const std::string&) {};
};

using Observer = std::function<void(const Progress&)>;

struct RunResult {
  TrainingState state;
  Progress progress;          // of the last step done here
  std::string last_log_line;  // of the last step, be it one before a resume
  bool finished = false;      // else it was stopped
};

/// Trains until the goal, a new run for at least one step. `state` is that of the trainee: step 0, or a checkpoint's.
/// Throws UserError when the loss is no longer finite (the last checkpoint stays), or when a checkpoint or model cannot
/// be written (the old one stays); a log that cannot be written is a warning.
RunResult run(Trainee& trainee, TrainingState state, const RunOptions& options, const Observer& observer);

}  // namespace cria
