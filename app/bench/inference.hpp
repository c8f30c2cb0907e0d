// Models with random weights, for measuring how fast they take in and give tokens.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "app/bench/sections.hpp"
#include "chapters/09-sampling/decoder.hpp"

namespace cria::bench {

/// Weights about as large as learned ones, made in a few nanoseconds each.
std::shared_ptr<const LlamaParameters> random_weights(const LlamaConfig& config);

/// Random tokens of the vocabulary.
std::vector<std::int32_t> some_tokens(const LlamaConfig& config, size_t count);

Decoder make_decoder(const LlamaWeights& weights, size_t capacity, size_t threads);

constexpr size_t prompt_tokens = 512;
using MakeWeights = std::function<std::shared_ptr<const LlamaWeights>()>;

/// The known shapes, and the user's.
std::vector<NamedConfig> measured_configs(const Setting& setting);

/// How a model's weights are stored.
struct StoredType {
  std::string name;
  size_t bytes;            // of all weights
  bool in_blocks = false;  // else they are multiplied as floats
};

/// For each batch a case that feeds so many tokens at a time: a prompt, a few, or one after the other; and cases of
/// several texts, a token of each at a time.
void add_feeding(const Setting& setting, const NamedConfig& shape, const StoredType& weights_of,
                 std::initializer_list<size_t> batches, const MakeWeights& make, std::vector<Case>& cases);

}  // namespace cria::bench
