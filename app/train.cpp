// cria train: from options to a run of chapter 11, with a display, a log and a graceful stop.
#include "app/train.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>

#include "app/command_name.hpp"
#include "app/training_display.hpp"
#include "chapters/01-bpe/tokenizer_files.hpp"
#include "chapters/11-pretraining/pretraining.hpp"
#include "lib/base/check.hpp"
#include "lib/base/cpus.hpp"
#include "lib/base/file.hpp"

namespace cria {
namespace {

constexpr const char* default_data = "stories";

std::atomic<bool> stop_requested = false;

// Ctrl-C ends the run after the step that is under way; a second one ends it at once.
void stop_on_signals() {
  for (const int signal : {SIGINT, SIGTERM})
    std::signal(signal, [](int number) {
      stop_requested = true;
      std::signal(number, SIG_DFL);
    });
}

std::string log_line(const Progress& p) {
  const auto number = [](const std::optional<double>& value) {
    return value ? fmt::format("{:.6g}", *value) : std::string("null");
  };
  return fmt::format(
      R"({{"step": {}, "seconds": {:.3f}, "loss": {:.9g}, "val_loss": {}, "bits_per_byte": {:.6g}, "floor": {}, )"
      R"("tokens_per_second": {:.0f}, "lr": {:.6g}, "grad_norm": {:.6g}}})",
      p.step, p.seconds, p.loss, number(p.validation_loss), p.bits_per_byte, number(p.floor), p.tokens_per_second,
      p.learning_rate, p.gradient_norm);
}

// The log of a run. After a resume it goes on where the checkpoint was written: the steps that a killed run had done
// since are done again, and so are their lines.
class Log {
 public:
  Log(const std::filesystem::path& path, size_t steps_done) : path_(path) {
    if (steps_done > 0 && std::filesystem::is_regular_file(path)) {
      const std::string kept = lines_until(steps_done);
      write_file_atomically(path, kept);
      last_line_ = kept.substr(kept.find_last_of('\n', kept.size() - 2) + 1);
    }
    file_.reset(std::fopen(path.c_str(), steps_done > 0 ? "a" : "w"));
    if (!file_) fail();
  }

  void add(const Progress& progress) {
    last_line_ = log_line(progress) + "\n";
    if (std::fwrite(last_line_.data(), 1, last_line_.size(), file_.get()) != last_line_.size() ||
        std::fflush(file_.get()) != 0)
      fail();
  }

  /// Of the last step, be it one before a resume; empty where there is none.
  const std::string& last_line() const { return last_line_; }

 private:
  struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  [[noreturn]] void fail() const {
    throw UserError(fmt::format("cannot write the log {}: {}", path_.string(), std::strerror(errno)));
  }

  std::string lines_until(size_t last_step) const {
    const std::string text = read_file(path_);
    size_t end = 0;
    for (size_t next; (next = text.find('\n', end)) != text.npos; end = next + 1) {
      constexpr std::string_view begin = R"({"step": )";
      const std::string_view line = std::string_view(text).substr(end, next - end);
      size_t step = 0;
      if (!line.starts_with(begin)) break;
      const auto [after, error] = std::from_chars(line.data() + begin.size(), line.data() + line.size(), step);
      if (error != std::errc() || after == line.data() + line.size() || *after != ',' || step > last_step) break;
    }
    return text.substr(0, end);
  }

  std::filesystem::path path_;
  std::unique_ptr<std::FILE, CloseFile> file_;
  std::string last_line_;
};

// What a resumed run is given again must be what it began with; only its length may change.
void require_same_run(const TrainOptions& options, const TrainingState& state) {
  const auto differs = [](const char* option, const std::string& given, const std::string& begun) {
    throw UserError(
        fmt::format("{} is {}, but the run to resume began with {}; leave the option out", option, given, begun));
  };
  if (options.data && *options.data != state.data) differs("--data", *options.data, state.data);
  if (options.seed && *options.seed != state.seed)
    differs("--seed", fmt::format("{}", *options.seed), fmt::format("{}", state.seed));
  if (!options.recipe.empty() && recipe_text(read_recipe(options.recipe)) != state.recipe)
    differs("--recipe", options.recipe, "another recipe");
}

// A resumed run goes on to the end that it was to have, unless it is given another.
void take_goal(TrainOptions& options, const TrainingState& state, const std::filesystem::path& folder) {
  if (!options.steps && !options.minutes) options.steps = state.goal_steps, options.minutes = state.goal_minutes;
  if (!options.steps && !options.minutes)
    throw UserError(
        fmt::format("{} does not say how long its run was to be: give --steps or --minutes, counted from its beginning",
                    (folder / checkpoint_file).string()));
  const bool reached = options.steps ? state.step >= *options.steps : state.seconds >= 60 * *options.minutes;
  if (reached && !options.json && !options.quiet)
    fmt::print("The run has reached its end after {}; larger --steps or --minutes set another.\n",
               options.steps ? fmt::format("{} steps", state.step) : fmt::format("{:.3g} minutes", state.seconds / 60));
}

// From a run, or from elsewhere: config.json, model.safetensors and tokenizer.json would be replaced.
bool holds_model(const std::filesystem::path& folder) {
  return std::filesystem::exists(folder / checkpoint_file) || std::filesystem::exists(folder / "model.safetensors");
}

std::filesystem::path choose_folder(const TrainOptions& options) {
  if (!options.folder.empty()) return options.folder;
  const std::filesystem::path base =
      std::filesystem::path("runs") / std::filesystem::path(options.data.value_or(default_data)).stem();
  std::filesystem::path folder = base;
  for (int i = 2; !options.resume && holds_model(folder); ++i) folder = base.string() + fmt::format("-{}", i);
  return folder;
}

}  // namespace

size_t thread_count(size_t wanted) {
  constexpr size_t most = 1024;
  if (wanted > most) throw UserError(fmt::format("--threads is {}, expected at most {}", wanted, most));
  return wanted ? wanted : available_cpus();
}

void require_minutes(double minutes) {
  if (!(minutes > 0) || !std::isfinite(minutes))
    throw UserError(fmt::format("--minutes is {}, expected more than 0, and an end", minutes));
}

int run_train(TrainOptions options) {
  if (options.list_recipe) {
    fmt::print("{}", recipe_documentation());
    return 0;
  }
  const std::filesystem::path folder = choose_folder(options);
  const bool has_checkpoint = std::filesystem::exists(folder / checkpoint_file);
  if (options.resume && !has_checkpoint)
    throw UserError(
        fmt::format("{} holds no checkpoint to resume from: expected {} in it", folder.string(), checkpoint_file));
  if (!options.resume && has_checkpoint)
    throw UserError(fmt::format(
        "{} holds a training run already; --resume goes on with it, another --out begins a new one", folder.string()));
  if (!options.resume && holds_model(folder))
    throw UserError(fmt::format("{} holds a model already; another --out begins a new one", folder.string()));
  if (options.steps && options.minutes) throw UserError("--steps and --minutes are both given, expected one of them");
  if (options.steps && *options.steps == 0) throw UserError("--steps is 0, expected more");
  if (options.minutes) require_minutes(*options.minutes);

  Recipe recipe;
  TrainingState state;
  if (options.resume) {
    state = read_training_state(folder / checkpoint_file);
    require_same_run(options, state);
    take_goal(options, state, folder);
    recipe = parse_recipe(state.recipe, (folder / checkpoint_file).string());
  } else {
    if (!options.steps && !options.minutes) options.minutes = 10;
    state.data = options.data.value_or(default_data);
    state.seed = options.seed.value_or(1);
    if (!is_utf8(state.data))
      throw UserError(fmt::format("the name {} is not UTF-8, as what a checkpoint holds must be", state.data));
    if (!options.recipe.empty())
      recipe = read_recipe(options.recipe);
    else if (state.data == "stories")
      recipe = read_recipe(data_folder() / "stories" / "recipe.yaml");
    state.recipe = recipe_text(recipe);
  }
  const Data data{state.data, state.seed};
  const std::string tokenizer_kind = options.resume              ? folder.string()
                                     : options.tokenizer.empty() ? "bpe"
                                                                 : options.tokenizer;
  const Tokenizer tokenizer = make_tokenizer(tokenizer_kind, data, recipe);
  Corpus corpus = open_corpus(data, tokenizer, recipe);

  recipe.model.vocabulary_size = tokenizer.vocabulary_size();
  recipe.model.context = recipe.training.positions;
  const LlamaParameters weights(recipe.model);
  Random random(state.seed);
  initialise(weights, random);

  ThreadPool pool(thread_count(options.threads));

  std::filesystem::create_directories(folder);
  Log log(options.log.empty() ? folder / "log.jsonl" : std::filesystem::path(options.log), state.step);

  const std::string title =
      fmt::format("{}: {} parameters, {} layers of width {}, {} tokens in the vocabulary, {} threads", state.data,
                  count_text(double(weights.flat().size())), recipe.model.layers, recipe.model.dim,
                  recipe.model.vocabulary_size, pool.size());
  const bool shows = !options.json && !options.quiet;
  TrainingDisplay display(title);
  if (shows && !::isatty(STDOUT_FILENO)) fmt::print("{}\n", title);
  stop_on_signals();
  const RunOptions run{folder, options.steps, options.minutes, &stop_requested};
  pretrain(weights, tokenizer, corpus, recipe, state, run, pool, [&](const Progress& progress) {
    log.add(progress);
    if (shows) display.show(progress);
  });
  if (options.json) fmt::print("{}", log.last_line());
  if (shows)
    fmt::print("The model is in {0}. Try: {1} sample {0}{2}\n", folder.string(), command_name(),
               corpus.has_documents ? "" : " -p TEXT");
  return 0;
}

}  // namespace cria
