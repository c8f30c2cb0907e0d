// cria bench context: what a token costs as the context grows, and as training goes on. Decoding grows by the cache
// that it reads, prefill and training by attention's part; over its steps training does not grow at all.
#include <fmt/format.h>

#include <algorithm>

#include "app/bench/inference.hpp"
#include "app/bench/modes.hpp"
#include "app/bench/plot.hpp"
#include "app/bench/table.hpp"
#include "app/bench/training_run.hpp"
#include "lib/base/check.hpp"

namespace cria::bench {
namespace {

constexpr size_t shortest = 128, longest = 8192;
constexpr const char* unit = "us/token";

/// A decoder whose cache is full: each further token takes the place of the oldest, so the context keeps its length.
struct FullContext {
  FullContext(const LlamaParameters& weights, size_t context, size_t threads)
      : tokens(some_tokens(weights.config(), context)), decoder(make_decoder(weights, context, threads)) {}
  void prefill() {
    decoder.reset();
    decoder.feed(tokens);
  }
  void decode(size_t count) {
    for (size_t i = 0; i < count; ++i) decoder.feed({&tokens[i], 1});
  }
  std::vector<std::int32_t> tokens;
  Decoder decoder;
};

std::vector<Case> cases_over_context(const Setting& setting, const NamedConfig& model) {
  const auto weights = random_weights(model.config);
  const LlamaConfig& c = model.config;
  const size_t threads = setting.threads(), weight_bytes = parameter_count(c) * sizeof(real);
  std::vector<Case> decoding, prefill;
  for (size_t context = shortest; context <= longest; context *= 2) {
    constexpr size_t count = 8;
    const size_t bytes = weight_bytes + KvCache::bytes(c.layers, context, c.kv_heads, c.head_dim);
    Case one = {.name = "decode",
                .shape = fmt::format("{} context {}", model.name, context),
                .target = setting.target,
                .threads = threads,
                .unit = unit,
                .amount = count * 1e-6,
                .work = {count * forward_operations_per_token(c, context), double(count * bytes), bytes},
                .prepare =
                    [=] {
                      auto run = std::make_shared<FullContext>(*weights, context, threads);
                      run->prefill();
                      return [weights, run] { run->decode(count); };
                    },
                .is_cost = true};
    decoding.push_back(one);
    one.name = "prefill";
    one.amount = double(context) * 1e-6;
    one.work = {.operations = prompt_operations(c, context)};
    one.prepare = [=] {
      return [weights, run = std::make_shared<FullContext>(*weights, context, threads)] { run->prefill(); };
    };
    prefill.push_back(std::move(one));
  }
  decoding.insert(decoding.end(), prefill.begin(), prefill.end());
  return decoding;
}

/// Training on few tokens a step, but on two sequences at least, one for each of two threads.
std::vector<Case> training_over_context(const Setting& setting) {
  std::vector<Case> cases;
  for (size_t context = shortest; context <= longest; context *= 2) {
    TrainingShape shape = training_shape("A");
    shape.config.context = shape.options.positions = context;
    shape.options.batch = std::max<size_t>(2048 / context, 2);
    const double tokens = double(shape.options.batch * context);
    cases.push_back({.name = "training",
                     .shape = fmt::format("A context {}", context),
                     .target = setting.target,
                     .threads = setting.threads(),
                     .unit = unit,
                     .amount = tokens * 1e-6,
                     .work = {.operations = tokens * training_operations_per_token(shape.config, context)},
                     .prepare =
                         [shape, threads = setting.threads()] {
                           return [run = std::make_shared<TrainingRun>(shape, threads)] { run->step(); };
                         },
                     .is_cost = true});
  }
  return cases;
}

/// The time of each of `steps` training steps, per token, in microseconds.
std::vector<double> time_of_steps(size_t steps, size_t threads) {
  const TrainingShape shape = training_shape("A");
  TrainingRun run(shape, threads);
  std::vector<double> times(steps);
  for (double& time : times)
    time = seconds([&] { run.step(); }) * 1e6 / double(shape.options.batch * shape.options.positions);
  return times;
}

/// Each stretch of steps as one result: the median, and the quartiles' distance as its spread.
std::vector<Result> by_stretches(const std::vector<double>& times, size_t length, const Setting& setting) {
  std::vector<Result> results;
  for (size_t begin = 0; begin + length <= times.size(); begin += length) {
    std::vector<double> part(times.begin() + long(begin), times.begin() + long(begin + length));
    std::ranges::sort(part);
    const double median = part[length / 2];
    results.push_back({.name = "training",
                       .shape = fmt::format("A steps {} to {}", begin + 1, begin + length),
                       .type = real_type,
                       .target = setting.target,
                       .threads = setting.threads(),
                       .value = median,
                       .unit = unit,
                       .limit = {},
                       .limited_by = {},
                       .spread = (part[length * 3 / 4] - part[length / 4]) / median,
                       .fraction = {}});
  }
  return results;
}

/// A curve over the context, with the machine's limit beneath.
Panel over_context(const std::string& title, const std::string& name, std::span<const Result> results) {
  Series measured{name, {}}, limit{"limit", {}, true};
  double context = shortest;
  for (const Result& r : results)
    if (r.name == name) {
      measured.points.push_back({context, r.value});
      limit.points.push_back({context, r.limit.value_or(0)});
      context *= 2;
    }
  return {title, "context", "µs per token", {std::move(measured), std::move(limit)}};
}

Panel over_steps(const std::string& title, const std::vector<double>& times) {
  Series training{"training", {}};
  for (size_t i = 0; i < times.size(); ++i) training.points.push_back({double(i + 1), times[i]});
  return {title, "step", "µs per token", {std::move(training)}};
}

}  // namespace

int bench_context(const BenchOptions& options, const Setting& setting) {
  const NamedConfig model = setting.config ? *setting.config : known_config("15M");
  std::vector<Case> cases = cases_over_context(setting, model);
  for (Case& c : training_over_context(setting)) cases.push_back(std::move(c));
  const ProgressLine progress("context");
  std::vector<Result> results =
      measure(cases, setting.machine, options.repeats, [&](const Case& c, double share) { progress.show(c, share); });
  progress.clear();

  constexpr size_t stretch = 20, stretches = 5;
  const std::vector<double> steps = time_of_steps(stretch * stretches, setting.threads());
  if (!options.svg.empty()) {
    const Panel panels[] = {over_context(model.name + ": decode, time per token", "decode", results),
                            over_context(model.name + ": prefill, time per token", "prefill", results),
                            over_context("Training A: time per token", "training", results),
                            over_steps("Training A: time per token over steps", steps)};
    write_plot(options.svg, panels);
  }
  for (Result& r : by_stretches(steps, stretch, setting)) results.push_back(std::move(r));
  options.json ? print_json(results) : print_section("context", results);
  return 0;
}

}  // namespace cria::bench
