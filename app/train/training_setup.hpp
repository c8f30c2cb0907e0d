// What all commands that train do alike: from options to a folder, a goal and a run, and what is said at its end.
#pragma once

#include <string>
#include <vector>

#include "app/train/run_watch.hpp"
#include "app/train/train.hpp"
#include "chapters/11-pretraining/data.hpp"
#include "chapters/11-pretraining/recipe_keys.hpp"
#include "chapters/11-pretraining/run.hpp"

namespace cria {

using Names = std::vector<std::string>;

/// Throws UserError for lengths that make no sense, or exclude each other.
void check_length(const TrainOptions& options);

/// The names of the data as a checkpoint holds them: as text, one a line.
std::string in_lines(const Names& names);

/// The folder that the run has for itself; `base` where the options name none.
RunFolder claim_folder(const TrainOptions& options, const std::filesystem::path& base);

/// A run that is gone on with: what its checkpoint says, and the data that it is trained on.
struct ResumedRun {
  TrainingState state;
  Recipe recipe;
  Names data;
};
/// What it is given again must be what it began with; only its length may change. Whether data of another name is the
/// same is seen when it has been read. `method` is what the command does, which has keys of its own. Throws UserError
/// for options that differ, and for a run of another method.
ResumedRun resumed_run(const TrainOptions& options, const RunFolder& folder, const std::string& method = "",
                       const RecipeKeys& own_keys = {});

/// A resumed run goes on to the end that it was to have, unless it is given another.
Goal choose_goal(const TrainOptions& options, const TrainingState& state, const std::filesystem::path& folder);

/// Throws UserError where data that a run began with is no longer there.
Data open_data(const TrainOptions& options, const Names& names, std::uint64_t seed);

struct RunReport {
  RunResult result;
  bool stopped;  // by a signal
};
/// Runs with the display, and a page that watches it, until the goal or a signal, and says how it ended: `command` goes
/// on with it, `hint` is what to try with the model.
RunReport carry_out(Trainee& trainee, const TrainingState& state, const TrainOptions& options, const RunFolder& folder,
                    const Goal& goal, size_t evaluations, const std::string& title, const std::string& command,
                    const std::string& hint, RunWatch* watch = nullptr);

/// "stories: 483.6K parameters, 3 layers of width 96, …"
std::string run_title(const std::string& what, const LlamaConfig& config, size_t parameters, size_t threads);

}  // namespace cria
