// cria train: from options to a run of chapter 11, and its display.
#include "app/train.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <memory>
#include <sstream>

#include "app/command_name.hpp"
#include "app/model_costs.hpp"
#include "app/output.hpp"
#include "app/quantities.hpp"
#include "app/training_display.hpp"
#include "app/training_subject.hpp"
#include "chapters/11-pretraining/presets.hpp"
#include "chapters/11-pretraining/pretraining.hpp"
#include "lib/base/check.hpp"
#include "lib/base/cpus.hpp"
#include "lib/base/file.hpp"
#include "lib/base/interrupt.hpp"

namespace cria {
namespace {

using Names = std::vector<std::string>;

// A checkpoint holds the names of the data as text, one a line.
std::string in_lines(const Names& names) {
  for (const std::string& name : names)
    if (!is_utf8(name) || name.find('\n') != name.npos)
      throw UserError(fmt::format("the name {} is not UTF-8 in one line, as a checkpoint needs it", in_quotes(name)));
  return fmt::format("{}", fmt::join(names, "\n"));
}

Names from_lines(const std::string& text) {
  Names names;
  std::istringstream lines(text);
  for (std::string name; std::getline(lines, name);) names.push_back(name);
  return names;
}

// What a resumed run is given again must be what it began with; only its length may change. Whether data of another
// name is the same is seen when it has been read.
void require_same_run(const TrainOptions& options, const TrainingState& state, const Recipe& recipe) {
  const auto differs = [](const char* option, const std::string& given, const std::string& begun) {
    throw UserError(
        fmt::format("{} is {}, but the run to resume began with {}; leave the option out", option, given, begun));
  };
  if (options.seed && *options.seed != state.seed)
    differs("--seed", fmt::format("{}", *options.seed), fmt::format("{}", state.seed));
  if (!options.recipe.empty() && recipe_text(read_recipe(recipe_file(options.recipe))) != recipe_text(recipe))
    differs("--recipe", options.recipe, "another recipe");
  if (!options.data.empty() && in_lines(options.data) != state.data && !state.fingerprint)
    differs("--data", in_lines(options.data), state.data);
  if (!options.from.empty()) throw UserError("--from is for a new run; --resume goes on with one that is there");
}

// A resumed run goes on to the end that it was to have, unless it is given another.
Goal choose_goal(const TrainOptions& options, const TrainingState& state, const std::filesystem::path& folder) {
  Goal goal{options.steps, options.minutes};
  if (goal.given()) return goal;
  if (!options.resume) return {.minutes = 10};
  if (!state.goal.given())
    throw UserError(
        fmt::format("{} does not say how long its run was to be: give --steps or --minutes, counted from its beginning",
                    (folder / checkpoint_file).string()));
  return state.goal;
}

// runs/ and the name of the data's first file or folder.
std::filesystem::path base_folder(const Names& names) {
  const std::filesystem::path first = std::filesystem::absolute(names.front()).lexically_normal();
  const std::filesystem::path name = first.has_filename() ? first.stem() : first.parent_path().filename();
  return std::filesystem::path("runs") / (names.front() == "-" || name.empty() ? "text" : name);
}

RunFolder claim_folder(const TrainOptions& options, const Names& names) {
  const std::filesystem::path base = options.base.empty() ? base_folder(names) : options.base;
  if (options.resume)
    return RunFolder::to_resume(options.folder.empty() ? base : std::filesystem::path(options.folder));
  return options.folder.empty() ? RunFolder::for_new_run_beside(base)
                                : RunFolder::for_new_run(options.folder, options.tokenizer);
}

Recipe choose_recipe(const TrainOptions& options, const Names& names) {
  if (!options.recipe.empty()) return read_recipe(recipe_file(options.recipe));
  return names == Names{"stories"} ? read_recipe(data_folder() / "stories" / "recipe.yaml") : Recipe();
}

Data open_data(const TrainOptions& options, const Names& names, std::uint64_t seed) {
  if (options.resume && options.data.empty())
    for (const std::string& name : names)
      if (name != "stories" && name != "-" && !std::filesystem::exists(name))
        throw UserError(
            fmt::format("{}, on which this run was trained, is not here; --data says where it is now", name));
  return Data(names, seed);
}

void print_end(const RunResult& result, const std::filesystem::path& folder, const TrainOptions& options,
               bool has_documents) {
  const TrainingState& state = result.state;
  const std::string path = quoted_for_shell(folder.string());
  if (!result.finished) {
    fmt::print("Interrupted at step {}, and saved. Go on with: {} train --resume --out {}{}\n", state.step,
               command_name(), path, options.log.empty() ? "" : " --log " + quoted_for_shell(options.log));
    return;
  }
  fmt::print("The model is in {}. Try: {} sample {}{}\n", folder.string(), command_name(), path,
             has_documents ? "" : " -p TEXT");
  if (state.best_loss && state.best_step < state.step)
    fmt::print("The held-out loss was lowest at step {}; that model is in {}.\n", state.best_step,
               (folder / best_folder).string());
}

}  // namespace

size_t thread_count(size_t wanted) {
  constexpr size_t most = 1024;
  if (wanted > most) throw UserError(fmt::format("--threads is {}, expected at most {}", wanted, most));
  return wanted ? wanted : available_cpus();
}

void require_minutes(double minutes, const char* option) {
  if (!(minutes > 0) || !std::isfinite(minutes))
    throw UserError(fmt::format("{} is {}, expected more than 0, and an end", option, minutes));
}

int run_train(const TrainOptions& options) {
  if (options.list_recipe) {
    fmt::print("{}", recipe_documentation());
    return 0;
  }
  train(options);
  return 0;
}

TrainResult train(const TrainOptions& options) {
  if (options.steps && options.minutes) throw UserError("--steps and --minutes are both given, expected one of them");
  if (options.steps && *options.steps == 0) throw UserError("--steps is 0, expected more");
  if (options.minutes) require_minutes(*options.minutes);
  require_minutes(options.save_minutes, "--save-minutes");

  const size_t threads = thread_count(options.threads);
  const RunFolder folder = claim_folder(options, options.data.empty() ? Names{"stories"} : options.data);
  Recipe recipe;
  TrainingState state;
  Names names = options.data;
  if (options.resume) {
    state = read_training_state(folder / checkpoint_file);
    recipe = parse_recipe(state.recipe, (folder / checkpoint_file).string());
    require_same_run(options, state, recipe);
    if (names.empty()) names = from_lines(state.data);
  } else {
    if (names.empty()) names = {"stories"};
    state.seed = options.seed.value_or(1);
    recipe = choose_recipe(options, names);
    if (options.from.empty()) {  // before time goes into a tokenizer for what will not fit
      LlamaConfig least = recipe.model;
      least.vocabulary_size = 1;
      require_memory(least, recipe.training, threads);
    }
  }
  state.data = in_lines(names);
  const Goal goal = choose_goal(options, state, folder.path());
  const bool shows = !options.json && !options.quiet;
  if (shows && state.step > 0 && goal.share(state.step, state.seconds) >= 1)
    fmt::print("The run has reached its end after {}; larger --steps or --minutes set another.\n",
               goal.steps ? fmt::format("{} steps", state.step) : fmt::format("{:.3g} minutes", state.seconds / 60));

  const Data data = open_data(options, names, state.seed);
  TrainingSubject subject = options.resume         ? resumed_subject(folder)
                            : options.from.empty() ? new_subject(options, data, recipe)
                                                   : subject_from_model(options, recipe);
  state.recipe = recipe_text(recipe);
  Corpus corpus = open_corpus(data, *subject.tokenizer, recipe, subject.ends);
  require_same_data(state, data, corpus);

  ModelConfig& config = subject.config;
  if (corpus.has_documents && !options.resume) {
    config.begin_of_text = subject.ends.begin;
    if (config.end_of_text.empty()) config.end_of_text = {*subject.ends.end};
  }
  require_memory(config.llama, recipe.training, threads);
  const LlamaParameters weights = subject.weights ? std::move(*subject.weights) : LlamaParameters(config.llama);
  ThreadPool pool(threads);
  Pretraining training(config, weights, *subject.tokenizer, corpus, recipe, pool);
  if (options.resume) {
    training.restore(folder, state);
  } else if (options.from.empty()) {
    Random random(state.seed);
    initialise(weights, random);
  }

  const std::string title =
      fmt::format("{}: {} parameters, {} layers of width {}, {} tokens in the vocabulary, {} thread{}", data.name,
                  count_text(double(weights.flat().size())), config.llama.layers, config.llama.dim,
                  config.llama.vocabulary_size, pool.size(), pool.size() == 1 ? "" : "s");
  TrainingDisplay display(title, shows);
  const StopSignals signals;
  const RunOptions how{.folder = folder,
                       .goal = goal,
                       .evaluations = recipe.evaluations,
                       .save_minutes = options.save_minutes,
                       .log = options.log,
                       .stop = &signals.requested(),
                       .warn = [&](const std::string& message) { display.warn(message); }};
  const RunResult result = run(training, state, how, [&](const Progress& progress) { display.show(progress); });
  display.end();
  if (options.json) fmt::print("{}", result.last_log_line);
  if (shows) print_end(result, folder.path(), options, corpus.has_documents);
  return {folder.path(), signals.requested()};
}

}  // namespace cria
