// cria finetune: from options to a run of chapter 14.
#include "app/finetune.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "app/command_name.hpp"
#include "app/model_costs.hpp"
#include "app/sample.hpp"
#include "app/training_setup.hpp"
#include "app/training_subject.hpp"
#include "chapters/11-pretraining/presets.hpp"
#include "chapters/12-open-weights/open_model.hpp"
#include "chapters/14-sft/finetuning.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"

namespace cria {
namespace {

/// Without one: of the built-in requests the one beside them, of files what Llama 2 was tuned with (arXiv:2307.09288,
/// section 3.1), but for its batch of 64 sequences.
Recipe choose_recipe(const FinetuneOptions& options, const Names& names) {
  if (!options.recipe.empty()) return read_recipe(recipe_file(options.recipe));
  if (names == Names{"requests"}) return read_recipe(data_folder() / "stories" / "sft.yaml");
  Recipe recipe;
  recipe.learning_rate = 2e-5;
  recipe.training.positions = std::min<size_t>(open_config(options.from).llama.context, 1024);
  return recipe;
}

/// A model's description with its weights, or what a run left of it; and the format that it is spoken to in.
struct Subject {
  TrainingSubject model;
  LlamaParameters weights;
  ChatTemplateSource format;
};

Subject open_subject(const FinetuneOptions& options, const RunFolder& folder, Recipe& recipe) {
  TrainingSubject model = options.resume ? resumed_subject(folder) : subject_from_model(options, recipe);
  LlamaParameters weights = model.weights ? std::move(*model.weights) : LlamaParameters(model.config.llama);
  const ModelView view(model.config, weights, model.tokenizer.get());
  ChatTemplateSource format =
      instruction_format(options.resume ? folder.path() : std::filesystem::path(options.from), view);
  return {std::move(model), std::move(weights), std::move(format)};
}

std::optional<TokenId> first_of(const std::vector<TokenId>& ends) {
  return ends.empty() ? std::nullopt : std::optional(ends.front());
}

}  // namespace

int run_finetune(const FinetuneOptions& given) {
  FinetuneOptions options = given;
  if (options.method != "sft") throw UserError(fmt::format("--method is {}, expected sft", in_quotes(options.method)));
  if (options.from.empty() && !options.resume) options.from = model_folder("").string();
  check_length(options);
  const size_t threads = thread_count(options.threads);
  const RunFolder folder = claim_folder(options, std::filesystem::path("runs") / options.method);
  Recipe recipe;
  TrainingState state;
  Names names = options.data;
  if (options.resume) {
    ResumedRun begun = resumed_run(options, folder, options.method);
    state = std::move(begun.state), recipe = std::move(begun.recipe), names = std::move(begun.data);
  } else {
    if (names.empty()) names = {"requests"};
    state.seed = options.seed.value_or(1);
    state.method = options.method;
    recipe = choose_recipe(options, names);
  }
  state.data = in_lines(names);
  const Goal goal = choose_goal(options, state, folder.path());
  const Data data = open_data(options, names, state.seed);
  Subject subject = open_subject(options, folder, recipe);
  state.recipe = recipe_text(recipe);
  ModelConfig& config = subject.model.config;
  const Tokenizer& tokenizer = *subject.model.tokenizer;
  const InstructionEncoder encoder(subject.format, tokenizer, first_of(config.end_of_text));
  if (std::ranges::find(config.end_of_text, encoder.end_of_turn()) == config.end_of_text.end())
    config.end_of_text.push_back(encoder.end_of_turn());
  Corpus corpus = open_instruction_corpus(data, encoder, recipe);
  require_same_data(state, data, corpus);
  require_memory(config.llama, recipe.training, threads);

  ThreadPool pool(threads);
  Finetuning training(config, subject.weights, tokenizer, corpus, recipe, encoder, pool);
  if (options.resume) training.restore(folder, state);
  const std::string title = run_title(fmt::format("{}, {}", options.method, data.name), config.llama,
                                      subject.weights.flat().size(), pool.size());
  carry_out(training, state, options, folder, goal, recipe.evaluations, title, "finetune",
            fmt::format("chat {}", quoted_for_shell(folder.path().string())));
  return 0;
}

}  // namespace cria
