#include "app/train/training_setup.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <sstream>

#include "app/command_name.hpp"
#include "app/quantities.hpp"
#include "app/train/training_display.hpp"
#include "chapters/01-bpe/split.hpp"
#include "chapters/11-pretraining/checkpoint.hpp"
#include "chapters/11-pretraining/presets.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"
#include "lib/base/interrupt.hpp"

namespace cria {
namespace {

void print_end(const RunResult& result, const std::filesystem::path& folder, const TrainOptions& options,
               const std::string& command, const std::string& hint) {
  const TrainingState& state = result.state;
  const std::string path = quoted_for_shell(folder.string());
  if (!result.finished) {
    fmt::print("Interrupted at step {}, and saved. Go on with: {} {} --resume --out {}{}\n", state.step, command_name(),
               command, path, options.log.empty() ? "" : " --log " + quoted_for_shell(options.log));
    return;
  }
  fmt::print("The model is in {}. Try: {} {}\n", folder.string(), command_name(), hint);
  if (state.best_loss && state.best_step < state.step)
    fmt::print("The held-out loss was lowest at step {}; that model is in {}.\n", state.best_step,
               (folder / best_folder).string());
}

Names from_lines(const std::string& text) {
  Names names;
  std::istringstream lines(text);
  for (std::string name; std::getline(lines, name);) names.push_back(name);
  return names;
}

void require_same_method(const TrainingState& state, const std::string& method) {
  if (state.method != method)
    throw UserError(
        fmt::format("the run to resume was begun by {}; go on with that command",
                    state.method.empty() ? "`train`" : fmt::format("`finetune --method {}`", state.method)));
}

[[noreturn]] void refuse_other(const char* option, const std::string& given, const std::string& begun) {
  throw UserError(
      fmt::format("{} is {}, but the run to resume began with {}; leave the option out", option, given, begun));
}

void require_same_run(const TrainOptions& options, const TrainingState& state, const std::string& method) {
  if (options.seed && *options.seed != state.seed)
    refuse_other("--seed", fmt::format("{}", *options.seed), fmt::format("{}", state.seed));
  if (!options.data.empty() && in_lines(options.data) != state.data && !state.fingerprint)
    refuse_other("--data", in_lines(options.data), state.data);
  if (!options.from.empty())
    throw UserError(fmt::format("{} is for a new run; --resume goes on with one that is there",
                                method.empty() ? "--from" : "a model to begin with"));
}

}  // namespace

void check_length(const TrainOptions& options) {
  if (options.steps && options.minutes) throw UserError("--steps and --minutes are both given, expected one of them");
  if (options.steps && *options.steps == 0) throw UserError("--steps is 0, expected more");
  if (options.minutes) require_minutes(*options.minutes);
  require_minutes(options.save_minutes, "--save-minutes");
}

std::string in_lines(const Names& names) {
  for (const std::string& name : names)
    if (!is_utf8(name) || name.find('\n') != name.npos)
      throw UserError(fmt::format("the name {} is not UTF-8 in one line, as a checkpoint needs it", in_quotes(name)));
  return fmt::format("{}", fmt::join(names, "\n"));
}

RunFolder claim_folder(const TrainOptions& options, const std::filesystem::path& base) {
  if (options.resume)
    return RunFolder::to_resume(options.folder.empty() ? base : std::filesystem::path(options.folder));
  return options.folder.empty() ? RunFolder::for_new_run_beside(base)
                                : RunFolder::for_new_run(options.folder, options.tokenizer);
}

ResumedRun resumed_run(const TrainOptions& options, const RunFolder& folder, const std::string& method,
                       const RecipeKeys& own_keys) {
  TrainingState state = read_training_state(folder / checkpoint_file);
  require_same_method(state, method);
  // The keys' places take what is read last, which is to be the run's own.
  std::optional<std::string> given;
  if (!options.recipe.empty()) given = recipe_text(read_recipe(recipe_file(options.recipe), own_keys), own_keys);
  Recipe recipe = parse_recipe(state.recipe, (folder / checkpoint_file).string(), own_keys);
  if (given && *given != recipe_text(recipe, own_keys)) refuse_other("--recipe", options.recipe, "another recipe");
  require_same_run(options, state, method);
  Names data = options.data.empty() ? from_lines(state.data) : options.data;
  return {std::move(state), std::move(recipe), std::move(data)};
}

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

Data open_data(const TrainOptions& options, const Names& names, std::uint64_t seed) {
  if (options.resume && options.data.empty() && !Data::is_built_in(names))
    for (const std::string& name : names)
      if (name != "-" && !std::filesystem::exists(name))
        throw UserError(
            fmt::format("{}, on which this run was trained, is not here; --data says where it is now", name));
  return Data(names, seed);
}

RunReport carry_out(Trainee& trainee, const TrainingState& state, const TrainOptions& options, const RunFolder& folder,
                    const Goal& goal, size_t evaluations, const std::string& title, const std::string& command,
                    const std::string& hint, RunWatch* watch) {
  const bool shows = !options.json && !options.quiet;
  if (shows && state.step > 0 && goal.share(state.step, state.seconds) >= 1)
    fmt::print("The run has reached its end after {}; larger --steps or --minutes set another.\n",
               goal.steps ? fmt::format("{} steps", state.step) : fmt::format("{:.3g} minutes", state.seconds / 60));
  TrainingDisplay display(title, shows);
  const StopSignals signals;
  const RunOptions how{.folder = folder,
                       .goal = goal,
                       .evaluations = evaluations,
                       .save_minutes = options.save_minutes,
                       .keep_every = options.keep_every,
                       .log = options.log,
                       .stop = &signals.requested(),
                       .warn = [&](const std::string& message) { display.warn(message); }};
  if (watch) watch->begin(folder, options.log, title, state.step);
  RunResult result = run(trainee, state, how, [&](const Progress& progress) {
    display.show(progress);
    if (watch) watch->add(progress);
  });
  display.end();
  if (watch) watch->end(result.finished);
  if (options.json) fmt::print("{}", result.last_log_line);
  if (shows) print_end(result, folder.path(), options, command, hint);
  return {std::move(result), signals.requested()};
}

std::string run_title(const std::string& what, const LlamaConfig& config, size_t parameters, size_t threads) {
  const size_t all = parameter_count(config);
  const std::string learned =
      count_text(double(parameters)) + (parameters < all ? " of " + count_text(double(all)) : "");
  return fmt::format("{}: {} parameters, {} layers of width {}, {} tokens in the vocabulary, {} thread{}", what,
                     learned, config.layers, config.dim, config.vocabulary_size, threads, threads == 1 ? "" : "s");
}

}  // namespace cria
