// cria scaling: from options to a sweep of training runs, each of them chapter 11's.
#include "app/train/scaling.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "app/quantities.hpp"
#include "app/train/panel.hpp"
#include "app/train/scaling_llamas.hpp"
#include "app/train/scaling_report.hpp"
#include "app/train/train.hpp"
#include "chapters/01-bpe/tokenizer_files.hpp"
#include "chapters/11-pretraining/corpus.hpp"
#include "chapters/11-pretraining/run_folder.hpp"
#include "chapters/20-scaling-laws/sweep.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"
#include "lib/formats/json.hpp"
#include "lib/grammar/zipf.hpp"

namespace cria {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr size_t reference_width = 64;  // that of the recipe's learning rate
constexpr double usual_budgets[] = {1e12, 3e12, 9e12, 2.7e13}, usual_minutes = 30;
constexpr double least_budget = 5e9;  // ten steps and more of each model

/// What a sweep can be trained on.
struct SweptCorpus {
  const char *name, *folder, *recipe, *tokenizer;
};
constexpr SweptCorpus corpora[] = {{"stories", "scaling", "scaling.yaml", "bpe"},
                                   {"zipf", "scaling-zipf", "zipf.yaml", "characters"}};

const SweptCorpus& corpus_of(const std::string& data) {
  const auto found = std::ranges::find(corpora, data, &SweptCorpus::name);
  if (found == std::end(corpora))
    throw UserError(fmt::format("--data is {}, expected stories or zipf", in_quotes(data)));
  return *found;
}

/// What is the same for all runs of a sweep.
struct Sweep {
  fs::path folder;
  Recipe recipe;
  double filled;  // the share of a batch's positions that have a target; the others are padding
  std::optional<double> floor;
};

std::vector<double> choose_budgets(const ScalingOptions& options) {
  require_minutes(options.minutes);
  if (options.sizes < 3 || options.sizes > 64)
    throw UserError(fmt::format("--sizes is {}, expected 3 to 64: a parabola needs three points", options.sizes));
  if (options.bootstrap > 100000)
    throw UserError(fmt::format("--bootstrap is {}, expected at most 100000", options.bootstrap));
  std::vector<double> budgets = options.budgets;
  if (budgets.empty())
    for (const double usual : usual_budgets) budgets.push_back(usual * options.minutes / usual_minutes);
  for (size_t i = 0; i < budgets.size(); ++i) {
    if (!(budgets[i] >= least_budget && budgets[i] <= 1e20))
      throw UserError(fmt::format("{} {:.3g}, expected {:.3g} to 1e20 operations",
                                  options.budgets.empty() ? "--minutes gives a budget of" : "--budgets has", budgets[i],
                                  least_budget));
    if (i > 0 && budgets[i] < 1.5 * budgets[i - 1])
      throw UserError(fmt::format("--budgets has {} after {}, expected each at least 1.5 times the one before",
                                  budgets[i], budgets[i - 1]));
  }
  if (budgets.size() < 2) throw UserError("--budgets has one, expected at least two: a law says how things grow");
  return budgets;
}

/// A folder holds one sweep. Throws UserError where it holds another one, or something else.
void claim(const ScalingOptions& options, const std::vector<double>& budgets, const fs::path& folder) {
  const Json now = {{"data", options.data}, {"budgets", budgets}, {"sizes", options.sizes}, {"seed", options.seed}};
  const fs::path file = folder / "sweep.json";
  if (fs::exists(file)) {
    if (read_json(file) != nlohmann::json(now))
      throw UserError(
          fmt::format("{} holds a sweep with other budgets, sizes, data or seed; expected the same, or "
                      "another --out",
                      folder.string()));
    return;
  }
  if (fs::exists(folder) && !fs::is_empty(folder))
    throw UserError(folder.string() + " is not empty, and holds no sweep; expected another --out");
  fs::create_directories(folder);
  write_file_atomically(file, now.dump(1) + "\n");
}

Sweep prepare(const ScalingOptions& options, const fs::path& folder) {
  Sweep sweep{folder, read_recipe(data_folder() / "stories" / corpus_of(options.data).recipe), 0, {}};
  const Data data(options.data, options.seed);
  if (!fs::exists(folder / "tokenizer" / "tokenizer.json"))
    save_tokenizer(make_tokenizer(corpus_of(options.data).tokenizer, data, sweep.recipe).model(), folder / "tokenizer");
  const Tokenizer tokenizer = load_tokenizer(folder / "tokenizer");
  sweep.recipe.model.vocabulary_size = tokenizer.vocabulary_size();
  const Corpus corpus = open_corpus(data, tokenizer, sweep.recipe);
  sweep.floor = corpus.validation.floor;
  constexpr size_t sample = 64;
  for (size_t i = 0; i < sample; ++i) sweep.filled += double(count_targets(corpus.training->next()));
  sweep.filled /= double(sample * sweep.recipe.training.batch * sweep.recipe.training.positions);
  return sweep;
}

/// Of the built-in facts. A value costs all of its letters where its fact is not known. That its key is a surprise,
/// too, is left out: that costs about as much as the rank of such a fact would.
QuantaOfCorpus quanta_of_facts() {
  const ZipfShape facts;
  const double bytes = double(facts.key + 1 + facts.value + 1);  // a space and an end
  return {facts.exponent, zipf_probabilities(facts), double(facts.value) * std::log2(26.) / bytes};
}

/// The held-out losses of a run's log, with what was done by then.
TrainingCurve read_curve(const fs::path& log, const PlannedRun& planned, double filled) {
  TrainingCurve curve;
  std::istringstream lines(read_file(log));
  for (std::string line; std::getline(lines, line);) {
    const nlohmann::json step = parse_json(line, log.string());
    if (!step.at("val_loss").is_number()) continue;
    const double share = step.at("step").get<double>() / double(planned.steps);
    curve.points.push_back({planned.parameters, filled * share * planned.tokens, share * planned.operations,
                            step.at("bits_per_byte").get<double>()});
  }
  if (curve.points.empty()) throw UserError(log.string() + " has no held-out loss; remove it to train that run again");
  return curve;
}

std::string row(const PlannedRun& planned, double filled, const std::string& result) {
  return fmt::format("{:>7} {:>10.3g} {:>10} {:>6} {:>10} {:>8} {:>9.2g}  {}", planned.budget + 1, planned.operations,
                     count_text(planned.parameters), planned.config.dim, count_text(filled * planned.tokens),
                     planned.steps, rate_of_width(1, reference_width, planned.config.dim), result);
}

/// Trains a run, or goes on with it, unless it is done. Nothing when it was stopped.
std::optional<TrainingCurve> carry_out(const ScalingOptions& options, const Sweep& sweep, const PlannedRun& planned) {
  const std::string name = fmt::format("budget{}-width{}", planned.budget + 1, planned.config.dim);
  const fs::path folder = sweep.folder / name, recipe_at = sweep.folder / (name + ".yaml");
  const fs::path done = sweep.folder / (name + ".jsonl");  // the whole run's log
  if (!fs::exists(done)) {
    Recipe recipe = sweep.recipe;
    recipe.model = planned.config;
    recipe.learning_rate = rate_of_width(recipe.learning_rate, reference_width, planned.config.dim);
    write_file_atomically(recipe_at, recipe_text(recipe));
    TrainOptions training;
    training.folder = folder.string();
    training.recipe = recipe_at.string();
    training.steps = planned.steps;
    training.threads = options.threads;
    training.seed = options.seed;
    training.resume = fs::exists(folder / checkpoint_file);
    if (!training.resume) training.tokenizer = (sweep.folder / "tokenizer").string(), training.data = {options.data};
    training.quiet = true;
    if (train(training).stopped) return std::nullopt;
    write_file_atomically(done, read_file(folder / "log.jsonl"));
  }
  return read_curve(done, planned, sweep.filled);
}

}  // namespace

int run_scaling(const ScalingOptions& options) {
  if (options.llamas) {
    print_llamas();
    return 0;
  }
  const SweptCorpus& swept = corpus_of(options.data);
  const std::vector<double> budgets = choose_budgets(options);
  const fs::path folder = options.folder.empty() ? fs::path("runs") / swept.folder : fs::path(options.folder);
  claim(options, budgets, folder);
  const Sweep sweep = prepare(options, folder);
  const SweepShape shape = {.model = sweep.recipe.model,
                            .positions = sweep.recipe.training.positions,
                            .tokens_per_step = double(sweep.recipe.training.batch * sweep.recipe.training.positions),
                            .sizes = options.sizes};
  const std::vector<PlannedRun> plan = plan_sweep(shape, budgets);
  double operations = 0;
  for (const PlannedRun& planned : plan) operations += planned.operations;
  fmt::print("{} runs, {:.2g} operations; about {} at 1.4e11 a second. They are in {}.\n\n", plan.size(), operations,
             duration_text(operations / 1.4e11), folder.string());
  fmt::print("{:>7} {:>10} {:>10} {:>6} {:>10} {:>8} {:>9}  {}\n", "budget", "operations", "parameters", "width",
             "tokens", "steps", "rate x", "held out");
  SweepResult result;
  result.floor = sweep.floor;
  result.unit = "bits per byte";
  if (options.data == "zipf") result.quanta = quanta_of_facts();
  for (const PlannedRun& planned : plan) {
    if (can_redraw()) fmt::print("{}\r", row(planned, sweep.filled, "…"));
    std::fflush(stdout);
    const std::optional<TrainingCurve> curve = carry_out(options, sweep, planned);
    if (!curve) {
      fmt::print("\nInterrupted, and saved in {}. The same command goes on.\n", folder.string());
      return 0;
    }
    result.curves.push_back(*curve);
    result.runs.push_back(curve->points.back());
    const double loss = result.runs.back().loss;
    fmt::print("{}\n", row(planned, sweep.filled,
                           sweep.floor ? fmt::format("{:.4f} bits/byte ({:.3f} x floor)", loss, loss / *sweep.floor)
                                       : fmt::format("{:.4f} bits/byte", loss)));
    std::fflush(stdout);
  }
  fmt::print("\n");
  print_fits(result, options.bootstrap, options.seed);
  write_file_atomically(folder / "isoflop.svg", draw_sweep(result));
  fmt::print("The picture is {}.\n", (folder / "isoflop.svg").string());
  return 0;
}

}  // namespace cria
