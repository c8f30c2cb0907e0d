// What the page's view of the model's inside shows: every tensor of a forward pass, and the weights of a small model.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "app/look/passage.hpp"

namespace cria::look {

/// Numbers that the page holds for each token of a text: all that a forward pass writes but the logits.
size_t numbers_per_token(const LlamaConfig& config);

/// {"config", "tensors": {"embedding", "normed", "cosine", "sine"}, "layers": [{"attention_norm" …} …], "weights"}; a
/// tensor is its (T, width) numbers, encoded. Weights, under the same names as in the code, are there where the model
/// has so few that the page stays small, and packs none of them, else null.
nlohmann::json inside_data(const Passage& passage);

}  // namespace cria::look
