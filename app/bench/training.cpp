// Whole training steps: forward, backward, clip and AdamW on random tokens.
#include <fmt/format.h>

#include "app/bench/sections.hpp"
#include "app/bench/training_run.hpp"

namespace cria::bench {

std::vector<Case> training_cases(const Setting& setting) {
  std::vector<TrainingShape> shapes = {training_shape("A"), training_shape("B")};
  if (setting.config) {
    TrainerOptions options;
    options.batch = 8;
    options.positions = std::min<size_t>(256, setting.config->config.context);
    shapes.push_back({setting.config->name, setting.config->config, options});
  }
  std::vector<Case> cases;
  for (const TrainingShape& s : shapes)
    for (const size_t threads : setting.thread_counts) {
      const double tokens = double(s.options.batch * s.options.positions);
      const double operations = tokens * training_operations_per_token(s.config, s.options.positions);
      cases.push_back(
          {.name = "training",
           .shape = s.name,
           .target = setting.target,
           .threads = threads,
           .unit = "tokens/s",
           .amount = tokens,
           .work = {.operations = operations},
           .prepare = [s, threads] { return [run = std::make_shared<TrainingRun>(s, threads)] { run->step(); }; }});
    }
  return cases;
}

}  // namespace cria::bench
