// A model with random weights that reads bytes and the tokens of ChatML.
#pragma once

#include "chapters/11-pretraining/model_folder.hpp"
#include "lib/base/random.hpp"

namespace cria::testing {

inline Model chat_model() {
  ModelConfig config;
  LlamaConfig& c = config.llama;
  c.vocabulary_size = 260, c.dim = 16, c.hidden_dim = 24, c.layers = 2, c.heads = 2, c.kv_heads = 1, c.head_dim = 8;
  c.context = 512;
  config.begin_of_text = 256, config.end_of_text = {257};
  Model model{config, LlamaParameters(c), nullptr};
  Random random(1);
  for (real& weight : model.weights.flat()) weight = real(0.5 * random.normal());
  model.tokenizer = std::make_unique<Tokenizer>(bytes_model({"<s>", "</s>", "<|im_start|>", "<|im_end|>"}));
  return model;
}

}  // namespace cria::testing
