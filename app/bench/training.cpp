// Whole training steps: forward, backward, clip and AdamW on random tokens; of all weights, and of adapters of rank 8.
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
  static const LoraOptions all, queries_and_values{.targets = {"q_proj", "v_proj"}};
  struct Kind {
    const char* name;
    const LoraOptions* adapter;
  };
  std::vector<Case> cases;
  for (const TrainingShape& s : shapes)
    for (const Kind kind : {Kind{"training", nullptr}, {"adapter", &all}, {"adapter of q, v", &queries_and_values}})
      for (const size_t threads : setting.thread_counts) {
        const double tokens = double(s.options.batch * s.options.positions);
        // An adapter's are those of forward and d_x; its narrow products are not counted.
        const double operations = tokens * training_operations_per_token(s.config, s.options.positions);
        cases.push_back({.name = kind.name,
                         .shape = s.name,
                         .target = setting.target,
                         .threads = threads,
                         .unit = "tokens/s",
                         .amount = tokens,
                         .work = {.operations = kind.adapter ? operations * 2 / 3 : operations},
                         .prepare = [s, threads, adapter = kind.adapter] {
                           return [run = std::make_shared<TrainingRun>(s, threads, adapter)] { run->step(); };
                         }});
      }
  return cases;
}

}  // namespace cria::bench
