// Models with random weights, for measuring how fast they take in and give tokens.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "chapters/09-sampling/decoder.hpp"

namespace cria::bench {

/// Weights about as large as learned ones, made in a few nanoseconds each.
std::shared_ptr<const LlamaParameters> random_weights(const LlamaConfig& config);

/// Random tokens of the vocabulary.
std::vector<std::int32_t> some_tokens(const LlamaConfig& config, size_t count);

Decoder make_decoder(const LlamaParameters& weights, size_t capacity, size_t threads);

}  // namespace cria::bench
