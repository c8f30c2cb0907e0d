// What a model is and what it costs: parameters, memory for training and for sampling, operations. `cria info` states
// it of a model as it is, `cria plan` of one that is planned.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>

#include "app/weights/memory.hpp"

namespace cria {

/// `positions` are those of a prompt and its continuation, for each of the sequences that are sampled side by side,
/// with a cache of that type; `packed_weights` are the bytes of weights that are sampled from as they are stored.
nlohmann::ordered_json model_costs(const LlamaConfig& config, const TrainerOptions& training, size_t positions,
                                   CacheType cache_type, size_t sequences = 1,
                                   std::optional<size_t> packed_weights = {});

/// As text, in 80 columns.
void print_model_costs(const nlohmann::ordered_json& costs);

/// Throws UserError, saying what it would take, when this machine has less memory left than a training run needs.
/// `besides` are weights of others that it has for a while, in bytes.
void require_memory(const LlamaConfig& config, const TrainerOptions& training, size_t threads, size_t besides = 0);

}  // namespace cria
