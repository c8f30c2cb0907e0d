#include "app/bench/training_run.hpp"

namespace cria::bench {

TrainingShape training_shape(const std::string& name) {
  TrainingShape shape;
  shape.name = name;
  LlamaConfig& c = shape.config;  // as it stands it is A's
  c.context = shape.options.positions = 256;
  shape.options.batch = 16;
  if (name == "B") {
    c.dim = 288, c.hidden_dim = 768, c.layers = 6, c.heads = c.kv_heads = 6, c.head_dim = 48, c.vocabulary_size = 4096;
    shape.options.batch = 8;
  }
  return shape;
}

TrainingRun::TrainingRun(const TrainingShape& shape, size_t threads, const LoraOptions* adapter)
    : pool_(threads), weights_(shape.config), tokens_(shape.options.batch * (shape.options.positions + 1)) {
  Random random(1);
  initialise(weights_, random);
  if (adapter) {
    lora_ = std::make_unique<Lora>(shape.config, *adapter);
    initialise(*lora_, random);
    trainer_ = std::make_unique<Trainer>(shape.config, lora_->over(weights_), shape.options, pool_);
  } else {
    trainer_ = std::make_unique<Trainer>(weights_, shape.options, pool_);
  }
  for (std::int32_t& token : tokens_)
    token = static_cast<std::int32_t>(random.below(static_cast<std::uint32_t>(shape.config.vocabulary_size)));
  const size_t B = shape.options.batch, T = shape.options.positions;
  batch_.tokens = {tokens_.data(), {B, T}};
  batch_.targets = {tokens_.data() + B, {B, T}};
}

}  // namespace cria::bench
