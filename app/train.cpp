// cria train: from options to a run of chapter 11, and its display.
#include "app/train.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <cmath>
#include <cstdio>

#include "app/command_name.hpp"
#include "app/output.hpp"
#include "app/training_display.hpp"
#include "chapters/01-bpe/tokenizer_files.hpp"
#include "chapters/11-pretraining/pretraining.hpp"
#include "lib/base/check.hpp"
#include "lib/base/cpus.hpp"
#include "lib/base/file.hpp"
#include "lib/base/interrupt.hpp"

namespace cria {
namespace {

constexpr const char* default_data = "stories";

// What a resumed run is given again must be what it began with; only its length may change. Whether data of another
// name is the same is seen when it has been read.
void require_same_run(const TrainOptions& options, const TrainingState& state, const Recipe& recipe) {
  const auto differs = [](const char* option, const std::string& given, const std::string& begun) {
    throw UserError(
        fmt::format("{} is {}, but the run to resume began with {}; leave the option out", option, given, begun));
  };
  if (options.seed && *options.seed != state.seed)
    differs("--seed", fmt::format("{}", *options.seed), fmt::format("{}", state.seed));
  if (!options.recipe.empty() && recipe_text(read_recipe(options.recipe)) != recipe_text(recipe))
    differs("--recipe", options.recipe, "another recipe");
  if (options.data && *options.data != state.data && !state.fingerprint) differs("--data", *options.data, state.data);
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

RunFolder claim_folder(const TrainOptions& options) {
  const std::filesystem::path base =
      options.base.empty()
          ? std::filesystem::path("runs") / std::filesystem::path(options.data.value_or(default_data)).stem()
          : options.base;
  if (options.resume)
    return RunFolder::to_resume(options.folder.empty() ? base : std::filesystem::path(options.folder));
  return options.folder.empty() ? RunFolder::for_new_run_beside(base)
                                : RunFolder::for_new_run(options.folder, options.tokenizer);
}

Recipe choose_recipe(const TrainOptions& options, const std::string& data) {
  if (!options.recipe.empty()) return read_recipe(options.recipe);
  return data == "stories" ? read_recipe(data_folder() / "stories" / "recipe.yaml") : Recipe();
}

void print_end(const RunResult& result, const std::filesystem::path& folder, bool has_documents) {
  const TrainingState& state = result.state;
  const std::string path = quoted_for_shell(folder.string());
  if (!result.finished) {
    fmt::print("Interrupted at step {}, and saved. Go on with: {} train --resume --out {}\n", state.step,
               command_name(), path);
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

  const RunFolder folder = claim_folder(options);
  Recipe recipe;
  TrainingState state;
  if (options.resume) {
    state = read_training_state(folder / checkpoint_file);
    recipe = parse_recipe(state.recipe, (folder / checkpoint_file).string());
    require_same_run(options, state, recipe);
    state.data = options.data.value_or(state.data);
  } else {
    state.data = options.data.value_or(default_data);
    state.seed = options.seed.value_or(1);
    recipe = choose_recipe(options, state.data);
    state.recipe = recipe_text(recipe);
  }
  if (!is_utf8(state.data))
    throw UserError(fmt::format("the name {} is not UTF-8, as what a checkpoint holds must be", state.data));
  const Goal goal = choose_goal(options, state, folder.path());
  const bool shows = !options.json && !options.quiet;
  if (shows && state.step > 0 && goal.share(state.step, state.seconds) >= 1)
    fmt::print("The run has reached its end after {}; larger --steps or --minutes set another.\n",
               goal.steps ? fmt::format("{} steps", state.step) : fmt::format("{:.3g} minutes", state.seconds / 60));

  const Data data{state.data, state.seed};
  const std::string tokenizer_kind = options.resume              ? folder.path().string()
                                     : options.tokenizer.empty() ? "bpe"
                                                                 : options.tokenizer;
  const Tokenizer tokenizer = make_tokenizer(tokenizer_kind, data, recipe);
  Corpus corpus = open_corpus(data, tokenizer, recipe);
  require_same_data(state, corpus);

  ModelConfig config{recipe.model, {}, {}};
  config.llama.vocabulary_size = tokenizer.vocabulary_size();
  if (corpus.has_documents) {
    config.begin_of_text = tokenizer.bos_id();
    if (const auto end = tokenizer.eos_id()) config.end_of_text = {*end};
  }
  const LlamaParameters weights(config.llama);
  ThreadPool pool(thread_count(options.threads));
  Pretraining training(config, weights, tokenizer, corpus, recipe, pool);
  if (options.resume) {
    training.restore(folder, state);
  } else {
    Random random(state.seed);
    initialise(weights, random);
  }

  const std::string title =
      fmt::format("{}: {} parameters, {} layers of width {}, {} tokens in the vocabulary, {} thread{}", state.data,
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
  if (shows) print_end(result, folder.path(), corpus.has_documents);
  return {folder.path(), signals.requested()};
}

}  // namespace cria
