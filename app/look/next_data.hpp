// What comes next, as the page shows it: each position's likeliest tokens, those that each layer's stream would give,
// and those without a head.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <set>
#include <span>

#include "app/look/passage.hpp"

namespace cria::look {

inline constexpr size_t most_top = 8;      // tokens that a list shows
inline constexpr size_t most_next = 2048;  // tokens that the sampling view has of a position

/// {"ids", "logits", "rest"}: the likeliest tokens in descending order with their logits, both encoded, and log Σ exp
/// of the logits of all others, null where there are none. Their ids are added to `shown`.
nlohmann::json next_data(std::span<const real> logits, std::set<TokenId>& shown);

/// Their softmax.
std::vector<real> probabilities_of(std::span<const real> logits);

/// [[id, p] …] of the `most` likeliest tokens, in descending order. Their ids are added to `shown`.
nlohmann::json top_data(std::span<const real> probabilities, size_t most, std::set<TokenId>& shown);

/// Of each position next_data.
nlohmann::json next_of_all(const Passage& passage, std::set<TokenId>& shown);

/// [layer][position]: {"top": [[id, p] …], "next": the probability of the token that follows in the text}; the last
/// layer is the model itself.
nlohmann::json lens_data(const Passage& passage, std::set<TokenId>& shown);

/// {"layer", "head", "top": [[id, p] …], "divergence": KL of the whole model's distribution from it in bits} behind the
/// last token.
nlohmann::json head_off_data(const Passage& passage, size_t layer, size_t head, std::set<TokenId>& shown);

/// Of every head; null where that would take more than so many operations.
nlohmann::json heads_off(const Passage& passage, double most_operations, std::set<TokenId>& shown);

}  // namespace cria::look
