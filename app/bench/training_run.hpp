// A training run on random tokens, for measuring.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "chapters/10-training-step/trainer.hpp"
#include "chapters/15-adapters/lora.hpp"
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
  /// Of all weights, or of an adapter.
  TrainingRun(const TrainingShape& shape, size_t threads, const LoraOptions* adapter = nullptr);
  void step() { trainer_->step(batch_, 1e-4); }

 private:
  ThreadPool pool_;
  LlamaParameters weights_;
  std::unique_ptr<Lora> lora_;
  std::unique_ptr<Trainer> trainer_;
  std::vector<std::int32_t> tokens_;
  Batch batch_;
};

}  // namespace cria::bench
