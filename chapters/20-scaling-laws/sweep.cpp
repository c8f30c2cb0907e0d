// Chapter 20, the plan of a sweep. It leaves out the runs themselves, which are chapter 11's.
#include "chapters/20-scaling-laws/sweep.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "chapters/08-llama/parameters.hpp"
#include "lib/base/check.hpp"

namespace cria {
namespace {

constexpr size_t unit = 8;  // of widths

LlamaConfig of_width(LlamaConfig config, size_t width) {
  config.dim = width;
  config.head_dim = 16;
  config.heads = config.kv_heads = std::max<size_t>(1, (width + 15) / 16);
  config.hidden_dim = unit * ((width * 8 / 3 + unit - 1) / unit);
  return config;
}

}  // namespace

double run_operations(const LlamaConfig& config, size_t positions, double tokens) {
  return tokens * training_operations_per_token(config, positions);
}

double tokens_of_budget(const LlamaConfig& config, size_t positions, double operations) {
  double tokens = 0;
  // solution: tokens_of_budget
  tokens = operations / training_operations_per_token(config, positions);
  // end of solution
  return tokens;
}

LlamaConfig model_of_size(const LlamaConfig& shape, double parameters) {
  LlamaConfig best = of_width(shape, unit);
  const auto distance = [&](const LlamaConfig& config) {
    return std::abs(std::log(double(parameter_count(config)) / parameters));
  };
  for (size_t width = 2 * unit; width <= 8192; width += unit) {
    const LlamaConfig wider = of_width(shape, width);
    if (distance(wider) > distance(best)) break;
    best = wider;
  }
  return best;
}

double rate_of_width(double rate, size_t reference_width, size_t width) {
  return rate * std::sqrt(double(reference_width) / double(width));
}

std::vector<PlannedRun> plan_sweep(const SweepShape& shape, std::span<const double> budgets) {
  require(shape.sizes > 0 && shape.tokens_per_step > 0, "plan_sweep", "expected sizes, and tokens in a step");
  std::vector<PlannedRun> runs;
  for (size_t b = 0; b < budgets.size(); ++b) {
    const double middle = shape.parameters_at_1e12 * std::sqrt(budgets[b] / 1e12);
    for (size_t i = 0; i < shape.sizes; ++i) {
      const double part = shape.sizes == 1 ? 0 : 2 * double(i) / double(shape.sizes - 1) - 1;  // -1 … 1
      PlannedRun run;
      run.budget = b;
      run.config = model_of_size(shape.model, middle * std::pow(shape.width_of_grid, part));
      if (!runs.empty() && runs.back().budget == b && runs.back().config == run.config) continue;
      const double tokens = tokens_of_budget(run.config, shape.positions, budgets[b]);
      run.steps = static_cast<size_t>(std::lround(tokens / shape.tokens_per_step));
      run.parameters = double(parameter_count(run.config));
      if (run.steps < 10)
        throw UserError(
            fmt::format("a budget of {:.3g} operations lasts {} steps of a model of {:.0f} parameters, "
                        "expected at least 10; give more --minutes or larger --budgets",
                        budgets[b], run.steps, run.parameters));
      run.tokens = double(run.steps) * shape.tokens_per_step;
      run.operations = run_operations(run.config, shape.positions, run.tokens);
      runs.push_back(run);
    }
  }
  return runs;
}

}  // namespace cria
