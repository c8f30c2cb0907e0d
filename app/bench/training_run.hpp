// A training run on random tokens, for measuring.
#pragma once

#include <string>
#include <vector>

#include "chapters/10-training-step/trainer.hpp"
#include "lib/base/thread_pool.hpp"

namespace cria::bench {

struct TrainingShape {
  std::string name;
  LlamaConfig config;
  TrainerOptions options;
};

/// "A": stories260K's shape, 16 sequences of 256. "B": 7 million parameters, 8 sequences of 256.
TrainingShape training_shape(const std::string& name);

class TrainingRun {
 public:
  TrainingRun(const TrainingShape& shape, size_t threads);
  void step() { trainer_.step(batch_, 1e-4); }

 private:
  ThreadPool pool_;
  LlamaParameters weights_;
  Trainer trainer_;
  std::vector<std::int32_t> tokens_;
  Batch batch_;
};

}  // namespace cria::bench
