// cria finetune: from options to a run of a method.
#include "app/finetune/finetune.hpp"
#include "app/thread_count.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "app/finetune/method.hpp"
#include "app/run/sample.hpp"
#include "app/weights/model_costs.hpp"
#include "app/weights/model_text.hpp"
#include "chapters/11-pretraining/presets.hpp"
#include "chapters/12-open-weights/open_model.hpp"
#include "chapters/14-sft/story_requests.hpp"
#include "chapters/16-reward-model/reward_folder.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"

namespace cria {
namespace fs = std::filesystem;
namespace {

/// Without one: of the built-in requests that of the method which lies beside them, of files what Llama 2 was tuned
/// with (arXiv:2307.09288, section 3.1), but for its batch of 64 sequences.
Recipe choose_recipe(const FinetuneOptions& options, const Names& names, const RecipeKeys& keys) {
  if (!options.recipe.empty()) return read_recipe(recipe_file(options.recipe), keys);
  const fs::path own = data_folder() / "stories" / (options.method + ".yaml");
  if (names == Names{"requests"} && fs::exists(own)) return read_recipe(own, keys);
  Recipe recipe;
  recipe.learning_rate = options.method == "lora" ? 2e-4 : options.method == "adapter" ? 9e-3 : 2e-5;
  recipe.training.positions = std::min<size_t>(open_config(options.from).llama.context, 1024);
  return recipe;
}

/// The one in that folder. Throws UserError where its tokens are other ones than the policy's, or it learned from
/// conversations in another format; where it has none it takes the policy's.
ValueModel reward_model_for(const Tokenizer& tokenizer, const InstructionEncoder& encoder, const fs::path& folder) {
  RewardModel reward = load_reward_model(folder);
  const auto same_tokens = [&](const Tokenizer& other) {
    return other.vocabulary_size() == tokenizer.vocabulary_size() && !first_other_token(tokenizer, other);
  };
  if (!reward.tokenizer || !same_tokens(*reward.tokenizer))
    throw UserError(fmt::format("the reward model in {} has {}, expected the one of the model that it is to judge",
                                folder.string(), reward.tokenizer ? "another tokenizer" : "no tokenizer"));
  const LlamaWeights unread;
  const InstructionEncoder judged = open_encoder(folder, ModelView(reward.config, unread, reward.tokenizer.get()),
                                                 reward.config.end_of_text, encoder.format().text);
  const Message conversation[] = {{"user", "Tell a story."}, {"assistant", "Once."}};
  if (judged(conversation).tokens != encoder(conversation).tokens)
    throw UserError(fmt::format("the reward model in {} has another chat format than the model that it is to judge",
                                folder.string()));
  return std::move(reward.model);
}

}  // namespace

int run_finetune(const FinetuneOptions& options) {
  if (options.list_recipe) {
    fmt::print("{}", recipe_documentation(find_method(options.method)->keys()));
    return 0;
  }
  finetune(options);
  return 0;
}

TrainResult finetune(const FinetuneOptions& given) {
  FinetuneOptions options = given;
  const std::unique_ptr<TuningMethod> method = find_method(options.method);
  if (!options.reward.empty() && !method->learns_from_rewards())
    throw UserError(
        fmt::format("--reward is for the methods rejection, ppo and grpo; {} learns without", options.method));
  const RecipeKeys keys = method->keys();
  if (options.from.empty() && !options.resume) options.from = model_folder("").string();
  check_length(options);
  const size_t threads = thread_count(options.threads);
  const std::unique_ptr<RunWatch> watch = watch_run(options);
  const RunFolder folder = claim_folder(options, fs::path("runs") / options.method);
  Recipe recipe;
  TrainingState state;
  Names names = options.data;
  if (options.resume) {
    ResumedRun begun = resumed_run(options, folder, options.method, keys);
    state = std::move(begun.state), recipe = std::move(begun.recipe), names = std::move(begun.data);
    options.from = state.base;
  } else {
    if (names.empty()) names = method->usual_data();
    state.seed = options.seed.value_or(1);
    state.method = options.method;
    recipe = choose_recipe(options, names, keys);
    if (method->needs_base()) state.base = fs::absolute(options.from).lexically_normal().string();
  }
  // Where a reward model has moved, its fingerprint says whether it is the same.
  if (!options.reward.empty()) state.reward = fs::absolute(options.reward).lexically_normal().string();
  method->complete(recipe);
  state.data = in_lines(names);
  const Goal goal = choose_goal(options, state, folder.path());
  const Data data = open_data(options, names, state.seed);
  TrainingSubject subject =
      options.resume && !method->needs_base() ? resumed_subject(folder) : method->open(options, recipe);
  if (!subject.weights && !method->needs_base()) subject.weights.emplace(subject.config.llama);
  const LlamaWeights unread;  // only the description is looked at
  const InstructionEncoder encoder =
      open_encoder(options.resume ? folder.path() : fs::path(options.from),
                   ModelView(subject.config, unread, subject.tokenizer.get()), subject.config.end_of_text,
                   Data::is_built_in(names) ? request_template() : "");
  std::vector<TokenId>& ends = subject.config.end_of_text;
  if (std::ranges::find(ends, encoder.end_of_turn()) == ends.end()) ends.push_back(encoder.end_of_turn());
  state.recipe = recipe_text(recipe, keys);
  require_memory(subject.config.llama, recipe.training, threads);

  std::optional<ValueModel> reward;
  if (!state.reward.empty()) reward = reward_model_for(*subject.tokenizer, encoder, state.reward);
  ThreadPool pool(threads);
  const std::unique_ptr<ModelTraining> training =
      method->begin({subject, encoder, data, recipe, state, reward ? &*reward : nullptr, pool});
  if (options.resume) training->restore(folder, state);
  const std::string title = run_title(fmt::format("{}, {}", options.method, data.name), subject.config.llama,
                                      training->learned(), pool.size());
  const RunReport report =
      carry_out(*training, state, options, folder, goal, recipe.evaluations, title,
                fmt::format("finetune{}", options.method == "sft" ? "" : " --method " + options.method),
                method->hint(options.from, folder.path().string()), watch.get());
  return {folder.path(), report.stopped};
}

}  // namespace cria
