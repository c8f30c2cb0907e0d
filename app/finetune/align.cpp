// cria demo align.
#include "app/finetune/align.hpp"
#include "app/thread_count.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/command_name.hpp"
#include "app/finetune/align_figure.hpp"
#include "app/finetune/finetune.hpp"
#include "app/output.hpp"
#include "app/run/sample.hpp"
#include "app/texts/pairs.hpp"
#include "chapters/12-open-weights/model_template.hpp"
#include "chapters/14-sft/instruction_corpus.hpp"
#include "chapters/17-rejection-sampling/policy_standing.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"

namespace cria {
namespace fs = std::filesystem;
namespace {

/// A method, and its share of the time.
struct Stage {
  std::string_view name, method;
  double share;
  std::string_view says;
};
constexpr Stage stages[] = {
    {"SFT", "sft", 0.18, "Supervised fine-tuning: the model learns to answer requests with stories"},
    {"reward", "reward", 0.06, "A reward model: it learns which of two answers is right"},
    {"rejection", "rejection", 0.25, "Rejection sampling: the model learns the best of its own answers"},
    {"DPO", "dpo", 0.1, "Direct preference optimisation: from pairs of its own answers, a right and a wrong one"},
    {"PPO", "ppo", 0.08, "Proximal policy optimisation: from rewards of its own answers, with a critic"},
    {"GRPO", "grpo", 0.1, "Group relative policy optimisation: each answer against others to the same request"},
};                                           // the rest goes into drawing pairs and judging
constexpr double requests_per_minute = 400;  // that are answered for pairs

/// Measures models on held-out requests, all on the same ones.
class Judge {
 public:
  Judge(const AlignOptions& options, size_t threads)
      : options_(options), pool_(threads), requests_(std::make_shared<StoryRequests>(options.seed)) {}

  /// Divergences are measured from it.
  void set_reference(Model model) { reference_.emplace(std::move(model)); }

  AlignRow measure(std::string_view name, const fs::path& folder) {
    const Model model = load_model(folder);
    const std::vector<TokenId> ends = answer_ends(model);
    const InstructionEncoder encoder = open_encoder(folder, model, ends, request_template());
    const AnswerStyle style = {ends, encoder.end_of_turn(), model.config.llama.context, options_.seed << 32};
    const LlamaWeights& reference = reference_ ? static_cast<const LlamaWeights&>(reference_->weights) : model.weights;
    const PolicyStanding figures =
        measure_policy(model.weights, reference, *model.tokenizer, story_prompts(requests_, encoder),
                       JudgedPrompts::held_out, options_.judged, style, pool_);
    AlignRow row{std::string(name), figures.reward, figures.divergence, figures.divergence_error, 0, 0};
    Recipe recipe;
    recipe.training.batch = 4;
    recipe.training.positions = model.config.llama.context;
    recipe.validation_tokens = 16384;
    const Corpus corpus = open_instruction_corpus(Data("requests", options_.seed), encoder, recipe);
    LossEvaluator evaluator(model.config.llama, recipe.training.batch, recipe.training.positions, false);
    row.bits_per_byte = corpus.validation.bits_per_byte(
        corpus.validation.loss([&](const Batch& batch) { return evaluator.forward(model.weights, batch); }));
    row.floor = corpus.validation.floor.value_or(0);
    return row;
  }

 private:
  const AlignOptions& options_;
  ThreadPool pool_;
  std::shared_ptr<const StoryRequests> requests_;
  std::optional<Model> reference_;
};

void print_table(std::span<const AlignRow> rows, size_t judged) {
  fmt::print("\n{:12} {:>16} {:>22} {:>16} {:>10}\n", "", "requests obeyed", "divergence, nats", "bits per byte",
             "minutes");
  for (const AlignRow& row : rows)
    fmt::print("{:12} {:>16} {:>22} {:>16} {:>10}\n", row.name,
               fmt::format("{:.1f} ± {:.1f} %", 100 * row.reward, 100 * share_error(row.reward, judged)),
               row.divergence_error > 0 ? fmt::format("{:.2f} ± {:.2f}", row.divergence, row.divergence_error) : "",
               fmt::format("{:.2f} x floor", row.bits_per_byte / row.floor),
               row.minutes > 0 ? fmt::format("{:.1f}", row.minutes) : "");
  std::fflush(stdout);
}

std::string table_json(std::span<const AlignRow> rows) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const AlignRow& row : rows)
    list.push_back({{"name", row.name},
                    {"obeyed", row.reward},
                    {"divergence", row.divergence},
                    {"divergence_error", row.divergence_error},
                    {"bits_per_byte", row.bits_per_byte},
                    {"floor", row.floor},
                    {"minutes", row.minutes}});
  return list.dump(1) + "\n";
}

fs::path free_folder(const AlignOptions& options) {
  const fs::path base = fs::path("runs") / "align";
  if (!options.folder.empty()) {
    if (fs::exists(options.folder) && !fs::is_empty(options.folder))
      throw UserError(options.folder + " is not empty, expected a folder for new models");
    return options.folder;
  }
  fs::path folder = base;
  for (size_t i = 2; fs::exists(folder); ++i) folder = base.string() + fmt::format("-{}", i);
  return folder;
}

void draw_pairs(const AlignOptions& options, const fs::path& model, const std::string& file) {
  PairsOptions pairs;
  pairs.model = model.string();
  pairs.out = file;
  pairs.count = std::max<size_t>(100, size_t(options.minutes * requests_per_minute));
  pairs.samples = 4;
  pairs.temperature = 0.4;
  pairs.seed = options.seed;
  pairs.threads = options.threads;
  run_pairs(pairs);
}

}  // namespace

int run_align(const AlignOptions& options) {
  require_minutes(options.minutes);
  if (options.judged == 0) throw UserError("--judged is 0, expected more");
  const size_t threads = thread_count(options.threads);
  const fs::path base = model_folder("");
  const fs::path tuned = options.from.empty() ? data_folder() / "assistant" : fs::path(options.from);
  Model reference = load_model(tuned);
  const fs::path folder = free_folder(options);
  fs::create_directories(folder);
  Judge judge(options, threads);
  std::vector<AlignRow> rows;
  const auto add = [&](std::string_view name, const fs::path& model, double minutes = 0) -> AlignRow& {
    rows.push_back(judge.measure(name, model));
    rows.back().minutes = minutes;
    print_table(rows, options.judged);
    write_file_atomically(folder / "align.json", table_json(rows));  // what is there when somebody ends it
    return rows.back();
  };
  print_heading("The base model, asked for stories");
  add("base", base);
  for (const Stage& stage : stages) {
    const bool first = stage.method == "sft";
    print_heading(stage.says);
    FinetuneOptions tuning;
    tuning.method = stage.method;
    tuning.from = (first ? base : tuned).string();
    tuning.folder = (folder / stage.method).string();
    tuning.threads = options.threads;
    tuning.seed = options.seed;
    tuning.minutes = options.minutes * stage.share;
    if (stage.method == "reward" || stage.method == "dpo") {
      tuning.data = {(folder / "pairs.json").string()};
      tuning.recipe = (data_folder() / "stories" / fmt::format("{}.yaml", stage.method)).string();
    }
    if (stage.method == "reward") draw_pairs(options, tuned, tuning.data.front());
    if (finetune(tuning).stopped) return 0;
    if (stage.method == "reward") continue;  // it judges, and does not answer
    add(stage.name, tuning.folder, *tuning.minutes);
    if (!first) continue;
    print_heading(
        fmt::format("What the others begin with: {}", options.from.empty() ? "SFT of 14 000 steps" : options.from));
    judge.set_reference(std::move(reference));
    if (add("start", tuned).reward == 0)
      throw UserError(fmt::format("{} obeys none of {} requests, so that the other methods have nothing to learn from",
                                  tuned.string(), options.judged));
  }
  write_file_atomically(folder / "align.svg", draw_alignment(std::span(rows).subspan(2), options.judged));
  fmt::print("\nThe picture is {}. Try: {} chat {}\n", (folder / "align.svg").string(), command_name(),
             quoted_for_shell((folder / "rejection").string()));
  return 0;
}

}  // namespace cria
