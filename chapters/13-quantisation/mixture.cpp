#include "chapters/13-quantisation/mixture.hpp"

#include <algorithm>
#include <charconv>

namespace cria {
namespace {

using enum ElementType;

constexpr Mixture mixtures[] = {
    {"Q8_0", 7, q8_0},
    {"Q4_0", 2, q4_0},
    {"Q4_1", 3, q4_1},
    {"Q5_0", 8, q5_0},
    {"Q5_1", 9, q5_1},
    {"Q2_K", 10, q2_k},
    {"Q3_K", 11, q3_k},
    {"Q4_K", 14, q4_k},
    {"Q5_K", 16, q5_k},
    {"Q6_K", 18, q6_k},
    {"IQ4_NL", 25, iq4_nl},
    {"IQ4_XS", 30, iq4_xs},
    {"Q4_K_S", 14, q4_k, q6_k, Favoured::first, q5_k},
    {"Q4_K_M", 15, q4_k, q6_k, Favoured::throughout, q6_k},
    {"Q5_K_S", 16, q5_k, q6_k},
    {"Q5_K_M", 17, q5_k, q6_k, Favoured::throughout, q6_k},
};

/// What llama.cpp takes where 256 numbers do not divide a row.
ElementType in_small_blocks(ElementType type) {
  switch (type) {
    case q2_k:
    case q3_k:
      return q4_0;
    case iq4_xs:
      return iq4_nl;
    case q4_k:
      return q5_0;
    case q5_k:
      return q5_1;
    case q6_k:
      return q8_0;
    default:
      return type;
  }
}

/// "model.layers.12.mlp.down_proj.weight": 12
size_t layer_of(std::string_view name) {
  constexpr std::string_view before = "model.layers.";
  size_t layer = 0;
  std::from_chars(name.data() + before.size(), name.data() + name.size(), layer);
  return layer;
}

ElementType matrix_type(const std::string& name, const LlamaConfig& c, const Mixture& mixture) {
  if (name == (c.tied_embeddings ? "model.embed_tokens.weight" : "lm_head.weight")) return mixture.head;
  const bool is_value = name.ends_with("v_proj.weight");
  if (!is_value && !name.ends_with("down_proj.weight")) return mixture.type;
  const size_t i = layer_of(name), n = c.layers;
  const bool is_first = i < n / 8, is_last = i >= 7 * n / 8, is_third = i >= n / 8 && (i - n / 8) % 3 == 2;
  if (mixture.favoured == Favoured::throughout && (is_first || is_last || is_third)) return mixture.better;
  if (mixture.favoured == Favoured::first && i < (is_value ? 4 : n / 8)) return mixture.better;
  // Llama 2 and 3 70B: a value matrix that eight query heads share is small, and matters eight times.
  const bool is_70b = n == 80 && c.kv_heads != c.heads;
  return is_70b && is_value && mixture.favoured != Favoured::none && mixture.type == q4_k ? q5_k : mixture.type;
}

}  // namespace

std::optional<Mixture> find_mixture(std::string_view name) {
  const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; };
  for (const Mixture& mixture : mixtures)
    if (std::ranges::equal(name, mixture.name, {}, upper)) return mixture;
  return std::nullopt;
}

std::string mixture_names() {
  std::string names;
  for (const Mixture& mixture : mixtures) (names += names.empty() ? "" : ", ") += mixture.name;
  return names;
}

StoredTypes mixed_types(const LlamaParameters& weights, const Mixture& mixture) {
  StoredTypes types;
  weights.for_each([&](const std::string& name, const auto& view) {
    if (view.shape().size() == 1) {
      types[name] = f32;
      return;
    }
    const size_t row = view.shape().back();
    const ElementType wanted = matrix_type(name, weights.config(), mixture);
    types[name] = fitting_type(row, row % type_layout(wanted).numbers == 0 ? wanted : in_small_blocks(wanted));
  });
  return types;
}

}  // namespace cria
