// cria plan: what a Llama would cost, before anybody has one.
#include "app/weights/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/bench/machine.hpp"
#include "app/machines/divided_measure.hpp"
#include "app/quantities.hpp"
#include "app/run/cache_type.hpp"
#include "app/thread_count.hpp"
#include "app/weights/divided_plan.hpp"
#include "app/weights/model_costs.hpp"
#include "chapters/06-kv-cache/kv_cache.hpp"
#include "chapters/11-pretraining/presets.hpp"
#include "chapters/11-pretraining/recipe.hpp"
#include "chapters/12-open-weights/open_model.hpp"
#include "chapters/12-open-weights/published_training.hpp"
#include "chapters/12-open-weights/weight_bytes.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"
#include "lib/simd/primitives.hpp"

namespace cria {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr double petaflop_day = 1e15 * 24 * 60 * 60;

/// What is planned.
struct Planned : MeasuredModel {
  const PublishedTraining* published = nullptr;
};

Planned from_recipe(const fs::path& file) {
  const Recipe recipe = read_recipe(file);
  std::error_code unknown;
  const bool is_preset = fs::equivalent(fs::absolute(file).parent_path(), data_folder() / "presets", unknown);
  return {{recipe.model, recipe.training}, is_preset ? published_training(file.stem().string()) : nullptr};
}

Planned from_model(const fs::path& path) {
  Planned planned{{open_config(path).llama, {}}};
  planned.training.positions = planned.config.context;
  if (fs::exists(path / "recipe.yaml")) planned.training = read_recipe(path / "recipe.yaml").training;
  return planned;
}

Planned find_planned(const PlanOptions& options) {
  const bool is_model = fs::exists(options.model) && fs::path(options.model).extension() != ".yaml";
  Planned planned = is_model ? from_model(options.model) : from_recipe(recipe_file(options.model));
  if (options.context) planned.config.context = planned.training.positions = *options.context;
  return planned;
}

std::vector<ElementType> types_of(const PlanOptions& options) {
  const auto type = floating_type(options.type);
  if (type) return {*type};
  if (!options.type.empty())
    throw UserError(
        fmt::format("--type is {}, expected the name of one, such as F32, BF16 or Q4_0", in_quotes(options.type)));
  return {ElementType::f32, ElementType::f16, ElementType::bf16, ElementType::q8_0, ElementType::q4_0};
}

void check(const PlanOptions& options) {
  const auto in_range = [](const char* option, size_t value, size_t most) {
    if (value == 0 || value > most) throw UserError(fmt::format("{} is {}, expected 1 to {}", option, value, most));
  };
  in_range("--context", options.context.value_or(1), 1 << 24);
  in_range("--batch", options.batch, 1 << 16);
  in_range("--machines", options.machines, 1 << 20);
  check_measuring(options.measure, options.machines > 1 || options.network || options.latency || options.batch > 1 ||
                                       !options.type.empty() || options.cache_type != "f32" || options.tokens);
  for (const auto& [option, value] : {std::pair("--network", options.network), std::pair("--latency", options.latency)})
    if (value && !(*value > 0 && *value < 1e9))
      throw UserError(fmt::format("{} is {}, expected more than 0", option, *value));
  if (options.tokens && (!(*options.tokens >= 1) || !std::isfinite(*options.tokens)))
    throw UserError(fmt::format("--tokens is {}, expected 1 or more", *options.tokens));
}

/// A second, on all threads of this machine.
struct Limits {
  double operations, bytes;
  std::string where;  // what it reads lies: "L2", …, "memory"
  size_t threads;
};

/// Those of a model of this size. More memory than this only takes longer to measure.
Limits measure_limits(size_t weights) {
  constexpr size_t enough = size_t{512} << 20;
  ThreadPool pool(thread_count(0));
  const bench::Machine machine(pool);
  const std::string target = simd::active().target;
  const bench::Case read = machine.read(target, std::min(weights, enough), pool.size());
  return {1e9 * bench::measure_limit(machine.multiply_add(target, pool.size())), 1e9 * bench::measure_limit(read),
          read.name, pool.size()};
}

/// Seconds at the limits: of arithmetic or of reading, whichever takes longer.
double least_time(const Limits& limits, double operations, double bytes) {
  return std::max(operations / limits.operations, bytes / limits.bytes);
}

/// Of weights of each type: the size of a file, and how soon tokens come.
Json times(const LlamaConfig& c, const PlanOptions& options, CacheType cache_type, const Limits& limits) {
  const size_t prompt = std::min<size_t>(512, c.context);
  const double sequences = double(options.batch);
  const double cache = sequences * double(KvCache::bytes(c.layers, c.context, c.kv_heads, c.head_dim, 1, cache_type));
  Json types = Json::object();
  for (const ElementType type : types_of(options)) {
    const double read = double(weight_bytes_read(c, type));
    types[std::string(type_layout(type).name)] = {
        {"bytes", weight_bytes(c, type)},
        {"seconds_to_first_token", least_time(limits, sequences * prompt_operations(c, prompt), read)},
        {"seconds_per_token",
         least_time(limits, sequences * forward_operations_per_token(c, double(c.context)), read + cache)}};
  }
  return {{"threads", limits.threads},
          {"operations_per_second", limits.operations},
          {"bytes_per_second", limits.bytes},
          {"read_from", limits.where},
          {"prompt", prompt},
          {"batch", options.batch},
          {"weights", types}};
}

Json training_run(const Planned& planned, const PlanOptions& options, const Limits& limits) {
  const double parameters = double(parameter_count(planned.config));
  const PublishedTraining* published = planned.published;
  const size_t positions = published && !options.context ? size_t(published->positions) : planned.training.positions;
  const double tokens = options.tokens.value_or(published ? published->tokens : 20 * parameters);
  const double operations = tokens * training_operations_per_token(planned.config, positions);
  Json run = {{"tokens", tokens},
              {"tokens_are", options.tokens ? "given"
                             : published    ? "published"
                                            : "20 for each parameter"},
              {"positions", positions},
              {"operations", operations},
              {"six_n_d", 6 * parameters * tokens},
              {"petaflop_days", operations / petaflop_day},
              {"machines", options.machines},
              {"seconds", operations / (limits.operations * double(options.machines))}};
  if (!published) return run;
  Json& known = run["published"] = {{"tokens", published->tokens}};
  if (published->gpu_hours > 0) {
    const double at_peak = published->gpu_hours * 3600 * peak_of(published->gpu);
    const double same = published->tokens * training_operations_per_token(planned.config, positions);
    known.update({{"gpu", published->gpu},
                  {"gpu_hours", published->gpu_hours},
                  {"gpu_peak", peak_of(published->gpu)},
                  {"petaflop_days_at_peak", at_peak / petaflop_day},
                  {"utilisation", same / at_peak}});
  }
  if (published->operations > 0)
    known.update({{"operations", published->operations}, {"petaflop_days", published->operations / petaflop_day}});
  if (!published->remark.empty()) known["remark"] = published->remark;
  return run;
}

void print_times(const Json& here, const LlamaConfig& c) {
  std::string label = "weights";
  for (const auto& [type, cost] : here["weights"].items()) {
    fmt::print("{:11}{:5} {:>9}, first token after {:>11}, then {:>9} each\n", label, type, bytes_text(cost["bytes"]),
               duration_text(cost["seconds_to_first_token"]), duration_text(cost["seconds_per_token"]));
    label = "";
  }
  print_parts("",
              {fmt::format("(after a prompt of {}, then at {} of context,", here["prompt"].get<size_t>(), c.context),
               fmt::format("batch {};", here["batch"].get<size_t>()), "at the limits of this machine:",
               fmt::format("{:.0f} GFLOP/s and", here["operations_per_second"].get<double>() * 1e-9),
               fmt::format("{:.0f} GB/s from {},", here["bytes_per_second"].get<double>() * 1e-9,
                           here["read_from"].get<std::string>()),
               fmt::format("{} threads)", here["threads"].get<size_t>())});
}

std::string days_text(const Json& days) {
  const auto count = days.get<double>();
  return (count < 100 ? fmt::format("{:.3g}", count) : grouped(static_cast<std::uint64_t>(count + 0.5))) +
         " petaFLOP-days";
}

void print_run(const Json& run) {
  const size_t machines = run["machines"];
  print_parts(
      "a run",
      {fmt::format("of {} tokens ({})", count_text(run["tokens"]), run["tokens_are"].get<std::string>()),
       fmt::format("in sequences of {}:", run["positions"].get<size_t>()),
       fmt::format("{:.2e} operations,", run["operations"].get<double>()), days_text(run["petaflop_days"]) + ";",
       fmt::format("at the limit of {} {}", machines == 1 ? "this machine" : fmt::format("{} such machines", machines),
                   duration_text(run["seconds"])),
       fmt::format("(6 N D, which leaves out attention: {:.2e})", run["six_n_d"].get<double>())});
  if (!run.contains("published")) return;
  const Json& known = run["published"];
  std::vector<std::string> parts;
  if (known.contains("operations"))
    parts = {fmt::format("{:.2e} operations by the authors' count,", known["operations"].get<double>()),
             days_text(known["petaflop_days"]) + ";"};
  if (known.contains("gpu_hours")) {
    const auto more = {fmt::format("{} hours of {},", grouped(known["gpu_hours"].get<std::uint64_t>()),
                                   known["gpu"].get<std::string>()),
                       days_text(known["petaflop_days_at_peak"]),
                       fmt::format("at the peak of {:.0f} TFLOP/s,", known["gpu_peak"].get<double>() * 1e-12),
                       fmt::format("of which a run as above is {:.0f} %:", 100 * known["utilisation"].get<double>()),
                       std::string("no training holds the peak"),
                       std::string("(Llama 3's paper, table 4, has 38 to 43 %)")};
    parts.insert(parts.end(), more.begin(), more.end());
  }
  if (known.contains("remark")) parts.push_back((parts.empty() ? "" : "; ") + known["remark"].get<std::string>());
  print_parts("published", parts);
}

}  // namespace

int run_plan(const PlanOptions& options) {
  check(options);
  if (options.measure) return measure_divided([&] { return find_planned(options); }, options.json), 0;
  const Planned planned = find_planned(options);
  const LlamaConfig& c = planned.config;
  const CacheType cache_type = read_cache_type(options.cache_type, c);
  Json report = {{"name", options.model}};
  report.update(model_costs(c, planned.training, c.context, cache_type, options.batch));
  if (options.machines > 1) report["on_each_machine"] = machine_memory(c, planned.training, options.machines);
  const Limits limits = measure_limits(weight_bytes_read(c, ElementType::f32));
  report["here"] = times(c, options, cache_type, limits);
  report["training_run"] = training_run(planned, options, limits);
  if (options.machines > 1) {
    const TrainerOptions& t = planned.training;
    const double step = double(t.batch * t.positions) * training_operations_per_token(c, t.positions);
    report["divided"] = divided_plan(c, t, options.machines,
                                     {options.network.value_or(10) * 1e9 / 8, options.latency.value_or(50) * 1e-6},
                                     report["here"]["weights"].front()["seconds_per_token"], step / limits.operations);
  }
  if (options.json) {
    fmt::print("{}\n", report.dump(2));
    return 0;
  }
  print_model_costs(report);
  print_times(report["here"], c);
  print_run(report["training_run"]);
  if (options.machines > 1) print_divided_plan(report);
  return 0;
}

}  // namespace cria
