// Chapter 15: an adapter put into the weights, for good or until it is taken out again.
#pragma once

#include "chapters/15-adapters/lora.hpp"

namespace cria {

/// W += scale B A for every adapted layer; the model then computes without additions what it computed with them, but
/// for rounding. Throws ContractError where the head is adapted and is the embedding: that would change both.
void merge(const LlamaParameters& weights, const Lora& lora);
/// W -= scale B A: the weights are again what they were, but for rounding.
void unmerge(const LlamaParameters& weights, const Lora& lora);

/// The merged weights beside the base. Of a tied model whose head is adapted they are untied: the head gets the change,
/// the embedding stays.
LlamaParameters merged(const LlamaParameters& base, const Lora& lora);

}  // namespace cria
