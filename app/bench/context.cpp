// cria bench context: what a token costs as the context grows, and as training goes on. Decoding grows by the cache
// that it reads, prefill by attention's part, training not at all.
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
      : tokens(some_tokens(weights, context)), decoder(make_decoder(weights, context, threads)) {
    prefill();
  }
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
                      return [weights, run = std::make_shared<FullContext>(*weights, context, threads)] {
                        run->decode(count);
                      };
                    },
                .is_cost = true};
    decoding.push_back(one);
    one.name = "prefill";
    one.amount = double(context) * 1e-6;
    const double head = 2.0 * double(c.vocabulary_size * c.dim);
    one.work = {.operations = double(context) * (forward_operations_per_token(c, (context + 1) / 2) - head) + head};
    one.prepare = [=] {
      return [weights, run = std::make_shared<FullContext>(*weights, context, threads)] { run->prefill(); };
    };
    prefill.push_back(std::move(one));
  }
  decoding.insert(decoding.end(), prefill.begin(), prefill.end());
  return decoding;
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

}  // namespace

int bench_context(const BenchOptions& options, const Setting& setting) {
  const NamedConfig model = setting.config ? *setting.config : known_config("15M");
  const std::vector<Case> cases = cases_over_context(setting, model);
  const ProgressLine progress("context");
  std::vector<Result> results =
      measure(cases, setting.machine, options.repeats, [&](const Case& c, double share) { progress.show(c, share); });
  progress.clear();

  constexpr size_t stretch = 20, stretches = 5;
  const std::vector<double> steps = time_of_steps(stretch * stretches, setting.threads());
  for (Result& r : by_stretches(steps, stretch, setting)) results.push_back(std::move(r));

  if (!options.svg.empty()) {
    Panel context{fmt::format("{}: time per token over context", model.name), "context", "µs per token", true, {}};
    for (const char* name : {"decode", "prefill"}) {
      Series series{name, {}};
      for (size_t i = 0; i < cases.size(); ++i)
        if (cases[i].name == name)
          series.points.push_back({double(shortest << series.points.size()), results[i].value});
      context.series.push_back(std::move(series));
    }
    Panel training{"Training A: time per token over steps", "step", "µs per token", false, {{"training", {}}}};
    for (size_t i = 0; i < steps.size(); ++i) training.series[0].points.push_back({double(i + 1), steps[i]});
    const Panel panels[] = {context, training};
    write_plot(options.svg, panels);
  }
  options.json ? print_json(results) : print_section("context", results);
  return 0;
}

}  // namespace cria::bench
