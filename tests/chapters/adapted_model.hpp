// Small models that get an adapter, for the tests of chapter 15, and what they compute.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "chapters/09-sampling/decoder.hpp"
#include "chapters/10-training-step/loss_evaluator.hpp"
#include "chapters/12-open-weights/packed_model.hpp"
#include "chapters/13-quantisation/quantise_rows.hpp"
#include "tests/chapters/published_models.hpp"
#include "tests/chapters/random_batch.hpp"
#include "tests/chapters/tiny_llama.hpp"
#include "tests/testing.hpp"

namespace cria::testing {

inline LlamaConfig tied_tiny() {
  LlamaConfig config = tiny();
  config.tied_embeddings = true;
  return config;
}

inline LlamaParameters base_of(const LlamaConfig& config) {
  LlamaParameters weights(config);
  randomise(weights, 1);
  return weights;
}

inline void fill(const ParameterSet& numbers, std::uint64_t seed, double scale = 0.3) {
  Random random(seed);
  for (real& value : numbers.flat()) value = real(scale * random.normal());
}

/// Logits of a text, a part at once and the rest token by token.
inline std::vector<real> decoded(const LlamaWeights& weights, size_t threads) {
  Decoder decoder(weights, 16, default_chunk, threads);
  std::vector<real> all;
  const auto keep = [&](std::span<const real> logits) { all.insert(all.end(), logits.begin(), logits.end()); };
  keep(decoder.feed(std::vector<std::int32_t>{1, 4, 1, 5, 9, 2}));
  for (std::int32_t token : {6, 5, 3}) keep(decoder.feed({&token, 1}));
  return all;
}

/// Logits of the same text in one pass, at the places that decoded() gives.
inline std::vector<real> in_one_pass(const LlamaWeights& weights) {
  const std::vector<std::int32_t> tokens = {1, 4, 1, 5, 9, 2, 6, 5, 3};
  const std::vector<std::int32_t> targets(9, no_target);
  LossEvaluator evaluator(weights.config, 1, 9, false);
  evaluator.forward(weights, {{tokens.data(), {1, 9}}, {targets.data(), {1, 9}}});
  const auto logits = evaluator.logits().rows(5, 9).span();
  return {logits.begin(), logits.end()};
}

inline double largest_difference(std::span<const real> a, std::span<const real> b) {
  double largest = 0, size = 0;
  for (size_t i = 0; i < a.size(); ++i)
    largest = std::max(largest, std::abs(double(a[i]) - b[i])), size = std::max(size, std::abs(double(b[i])));
  return largest / size;
}

inline PackedModel packed_model(const TemporaryFolder& folder, ElementType type) {
  LlamaConfig config = published_config(true);
  config.dim = 64, config.heads = 8, config.head_dim = 8;
  const EncodeRows quantise = [](const TensorToWrite& tensor, std::span<const real> rows, std::string& out) {
    ThreadPool pool(1);
    quantise_rows(pool, tensor.type, tensor.shape.back(), rows, {}, out);
  };
  write_as_gguf(folder / "m.gguf", published_weights(config), {}, type, can_quantise(type) ? quantise : EncodeRows());
  return open_packed_model(folder / "m.gguf");
}

/// Loss and gradients of an adapter of any kind over a base, of a batch of two sequences.
template <class Adapter>
double gradients_over(const Adapter& adapter, const LlamaWeights& base, const ParameterSet& into) {
  const Trainable trainable = adapter.over(base);
  const LaneModel lane = trainable.lane(into);
  LossEvaluator evaluator(base.config, 2, 12, true);
  return evaluator.forward_backward(lane.weights, random_batch(2, 12, 1), 0.1, lane.gradients);
}

}  // namespace cria::testing
