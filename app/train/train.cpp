// cria train: from options to a run of chapter 11, and its display.
#include "app/train/train.hpp"
#include "app/thread_count.hpp"

#include <fmt/format.h>

#include <cmath>

#include "app/command_name.hpp"
#include "app/machines/machines.hpp"
#include "app/train/training_setup.hpp"
#include "app/train/training_subject.hpp"
#include "app/weights/model_costs.hpp"
#include "chapters/11-pretraining/presets.hpp"
#include "chapters/11-pretraining/pretraining.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"

namespace cria {
namespace {

// runs/ and the name of the data's first file or folder.
std::filesystem::path base_folder(const Names& names) {
  const std::filesystem::path first = std::filesystem::absolute(names.front()).lexically_normal();
  const std::filesystem::path name = first.has_filename() ? first.stem() : first.parent_path().filename();
  return std::filesystem::path("runs") / (names.front() == "-" || name.empty() ? "text" : name);
}

Recipe choose_recipe(const TrainOptions& options, const Names& names) {
  if (!options.recipe.empty()) return read_recipe(recipe_file(options.recipe));
  if (names != Names{"stories"}) return {};
  return read_recipe(data_folder() / "stories" / (options.steps ? "recipe.yaml" : "ten-minutes.yaml"));
}

// Of what takes memory here, on rank 0: its lanes, or its part of the model, and while it begins and saves one number
// of each parameter. That of lanes is in the moments, which are counted as if it had all.
void require_memory_here(const LlamaConfig& config, TrainerOptions options, const Machines* machines, size_t threads) {
  const size_t ranks = machines ? machines->size() : 1;
  if (machines && machines->divide_model())
    return require_memory(part_config(config, tensor_cut(config, ranks, 0), false), options, threads,
                          parameter_count(config) * sizeof(real));
  options.lanes = (options.lanes + ranks - 1) / ranks;
  require_memory(config, options, threads);
}

}  // namespace

void require_minutes(double minutes, const char* option) {
  if (!(minutes > 0) || !std::isfinite(minutes))
    throw UserError(fmt::format("{} is {}, expected more than 0, and an end", option, minutes));
}

int run_train(const TrainOptions& options) {
  if (options.list_recipe) {
    fmt::print("{}", recipe_documentation());
    return 0;
  }
  TrainOptions own = options;
  if (options.parallel == "tensor") {  // ranks meet in every layer
    if (options.threads > 1)
      throw UserError(
          fmt::format("--threads is {}, but with --parallel tensor a rank computes with one thread: leave the option "
                      "out, and start more ranks",
                      options.threads));
    own.threads = 1;
  }
  Machines machines(options.parallel);
  if (machines.leads())
    machines.lead([&] { train(own, &machines); });
  else
    machines.follow(thread_count(own.threads));
  return 0;
}

TrainResult train(const TrainOptions& options, Machines* machines) {
  check_length(options);
  const size_t threads = thread_count(options.threads);
  const std::unique_ptr<RunWatch> watch = watch_run(options);  // before anything is begun that it may not see
  const RunFolder folder =
      claim_folder(options, options.base.empty() ? base_folder(options.data.empty() ? Names{"stories"} : options.data)
                                                 : options.base);
  Recipe recipe;
  TrainingState state;
  Names names = options.data;
  if (options.resume) {
    ResumedRun begun = resumed_run(options, folder);
    state = std::move(begun.state), recipe = std::move(begun.recipe), names = std::move(begun.data);
  } else {
    if (names.empty()) names = {"stories"};
    state.seed = options.seed.value_or(1);
    recipe = choose_recipe(options, names);
    if (options.from.empty()) {  // before time goes into a tokenizer for what will not fit
      LlamaConfig least = recipe.model;
      least.vocabulary_size = machines ? machines->size() : 1;
      require_memory_here(least, recipe.training, machines, threads);
    }
  }
  state.data = in_lines(names);
  const Goal goal = choose_goal(options, state, folder.path());

  const Data data = open_data(options, names, state.seed);
  TrainingSubject subject = options.resume         ? resumed_subject(folder)
                            : options.from.empty() ? new_subject(options, data, recipe)
                                                   : subject_from_model(options, recipe);
  state.recipe = recipe_text(recipe);
  Corpus corpus = open_corpus(data, *subject.tokenizer, recipe, subject.ends);
  require_same_data(state, data.name, corpus);

  ModelConfig& config = subject.config;
  if (corpus.has_documents && !options.resume) {
    config.begin_of_text = subject.ends.begin;
    if (config.end_of_text.empty()) config.end_of_text = {*subject.ends.end};
  }
  require_memory_here(config.llama, recipe.training, machines, threads);
  std::optional<LlamaParameters> whole = std::move(subject.weights);
  if (!whole && !options.resume) {
    Random random(state.seed);
    initialise(whole.emplace(config.llama), random);
  }
  ThreadPool pool(threads);
  if (machines) machines->begin(config.llama, recipe.training);
  Peers* peers = machines ? machines->peers() : nullptr;
  TensorParallel* parts = machines ? machines->parts() : nullptr;
  const LlamaParameters weights = parts   ? LlamaParameters(parts->config())
                                  : whole ? std::move(*whole)
                                          : LlamaParameters(config.llama);
  Pretraining training(
      whole_model(config, parts ? tensor_trainable(weights, *parts) : Trainable(weights), *subject.tokenizer), corpus,
      recipe, pool, {}, peers);
  if (options.resume)
    training.restore(folder, state);
  else if (peers)
    training.share_start(parts ? *whole : weights);
  whole.reset();

  std::string title = run_title(data.name, config.llama, parameter_count(config.llama), pool.size());
  if (peers) title += fmt::format(" on each of {} ranks{}", machines->size(), parts ? ", each with a part" : "");
  const std::string hint =
      fmt::format("sample {}{}", quoted_for_shell(folder.path().string()), corpus.has_documents ? "" : " -p TEXT");
  const RunReport report =
      carry_out(training, state, options, folder, goal, recipe.evaluations, title, "train", hint, watch.get());
  return {folder.path(), report.stopped};
}

}  // namespace cria
