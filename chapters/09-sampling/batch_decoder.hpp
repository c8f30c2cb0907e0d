// BatchDecoder: several texts side by side, each with a cache of its own, one token of each in a pass.
//
// Decoding reads all weights for every token, and that takes most of its time. A pass over a token of each of B texts
// reads them once for all (Yu et al. 2022, "Orca", section 3.2: texts come and go between passes).
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "chapters/09-sampling/decoder.hpp"

namespace cria {

class BatchDecoder {
 public:
  /// Up to `places` texts, each of which is remembered for `capacity` positions, as in a Decoder.
  BatchDecoder(const LlamaWeights& weights, size_t places, size_t capacity, size_t threads = 1,
               CacheType cache_type = CacheType::f32);

  /// Reads a prompt and returns the logits (V) for what comes next, which hold until the next prompt is read.
  View<const real, 1> read(std::span<const std::int32_t> prompt);
  /// A text with the prompt that was read last begins in a place.
  void begin(size_t place) { cache_.copy(prompts_.cache(), 0, place); }
  /// The text of a place goes on in another.
  void move(size_t from, size_t to) { cache_.copy(cache_, from, to); }

  /// What is done with the logits (V) of a place.
  using Use = std::function<void(size_t place, View<const real, 1> logits)>;
  /// Takes in the next token of the text in each of the first places, and calls use(place, logits) for each, on any of
  /// the threads. The logits have the bits that a Decoder gives for each text alone. Allocates nothing. Throws
  /// ContractError for more tokens than places, or a token that the vocabulary does not have.
  void step(std::span<const std::int32_t> tokens, const Use& use);

  size_t places() const { return logits_.shape(0); }
  size_t length(size_t place) const { return cache_.length(place); }
  size_t vocabulary_size() const { return logits_.shape(1); }

 private:
  const LlamaWeights& weights_;
  Decoder prompts_;  // reads them, and its threads do the rest as well
  KvCache cache_;
  LlamaActivations activations_;
  Arena<real> memory_;
  View<real, 2> logits_;  // (places, V)
};

}  // namespace cria
