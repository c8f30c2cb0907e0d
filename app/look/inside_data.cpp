#include "app/look/inside_data.hpp"

#include <nlohmann/json.hpp>

#include "app/look/encoded.hpp"

namespace cria::look {
namespace {

using nlohmann::json;

constexpr size_t most_weights = size_t{1} << 20;

json config_data(const LlamaConfig& c) {
  return {{"vocabulary", c.vocabulary_size},
          {"dim", c.dim},
          {"hidden", c.hidden_dim},
          {"layers", c.layers},
          {"heads", c.heads},
          {"kvHeads", c.kv_heads},
          {"headDim", c.head_dim},
          {"context", c.context},
          {"eps", c.norm_eps},
          {"theta", c.rope_theta},
          {"interleaved", c.rope_pairing == RopePairing::interleaved},
          {"tied", c.tied_embeddings},
          {"parameters", parameter_count(c)}};
}

std::string numbers_of(View<const real, 2> rows) { return encoded(rows.span()); }

json layer_data(const LayerActivations& a) {
  return {{"attention_norm", numbers_of(a.attention_normed)},
          {"query", numbers_of(a.query)},
          {"key", numbers_of(a.key)},
          {"value", numbers_of(a.value)},
          {"log_sum_exp", numbers_of(a.log_sum_exp)},
          {"attended", numbers_of(a.attended)},
          {"middle", numbers_of(a.middle)},
          {"feed_forward_norm", numbers_of(a.feed_forward_normed)},
          {"gate", numbers_of(a.gate)},
          {"up", numbers_of(a.up)},
          {"gated", numbers_of(a.gated)},
          {"output", numbers_of(a.output)}};
}

/// Null where one of the matrices is packed, whose numbers are no part of what was computed.
json weights_data(const LlamaWeights& weights) {
  if (parameter_count(weights.config) > most_weights) return nullptr;
  const auto& w = weights.tensors;
  bool packed = w.head.is_packed();
  const auto matrix = [&](const Weight& weight) {
    packed = packed || weight.is_packed();
    return packed ? std::string() : numbers_of(weight.numbers());
  };
  json layers = json::array();
  for (const LayerWeights& layer : w.layers)
    layers.push_back({{"attention_norm", encoded(layer.attention_norm.span())},
                      {"query", matrix(layer.query)},
                      {"key", matrix(layer.key)},
                      {"value", matrix(layer.value)},
                      {"output", matrix(layer.output)},
                      {"feed_forward_norm", encoded(layer.feed_forward_norm.span())},
                      {"gate", matrix(layer.gate)},
                      {"up", matrix(layer.up)},
                      {"down", matrix(layer.down)}});
  json all = {{"layers", std::move(layers)}, {"norm", encoded(w.norm.span())}, {"head", matrix(w.head)}};
  return packed ? json(nullptr) : all;
}

}  // namespace

size_t numbers_per_token(const LlamaConfig& c) {
  const size_t queries = c.heads * c.head_dim, keys = c.kv_heads * c.head_dim;
  return 2 * c.dim + c.head_dim + c.layers * (4 * c.dim + 2 * queries + 2 * keys + c.heads + 3 * c.hidden_dim);
}

json inside_data(const Passage& passage) {
  passage.ask();
  const LlamaActivations& a = passage.activations();
  json layers = json::array();
  for (size_t i = 0; i < passage.config().layers; ++i) layers.push_back(layer_data(a.layer(i)));
  return {{"config", config_data(passage.config())},
          {"tensors",
           {{"embedding", numbers_of(a.layer(0).input)},
            {"normed", numbers_of(a.normed)},
            {"cosine", numbers_of(a.angles.cosine)},
            {"sine", numbers_of(a.angles.sine)}}},
          {"layers", std::move(layers)},
          {"weights", weights_data(passage.weights())}};
}

}  // namespace cria::look
