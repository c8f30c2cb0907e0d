// Decoder: a model with a cache, fed with tokens and asked what comes next.
#pragma once

#include <cstdint>
#include <span>

#include "chapters/06-kv-cache/kv_cache.hpp"
#include "chapters/08-llama/llama.hpp"
#include "lib/base/thread_pool.hpp"

namespace cria {

/// Prompt tokens that run at a time at most: enough rows to make good use of each weight that is read.
constexpr size_t default_chunk = 512;

/// How many tokens a decoder runs at a time: at most `chunk`, and as many as are remembered, and as have activations of
/// 24 MB. Beside weights and cache it should need little: larger models take a prompt in smaller chunks.
size_t decoder_chunk(const LlamaConfig& config, size_t capacity, size_t chunk = default_chunk);

class Decoder {
 public:
  /// `capacity` positions are remembered, in numbers of that type; after more, the oldest are forgotten. Up to
  /// decoder_chunk tokens run at a time, on so many threads; the logits do not depend on how many.
  /// feed_each takes up to `each` tokens.
  Decoder(const LlamaWeights& weights, size_t capacity, size_t chunk = default_chunk, size_t threads = 1,
          CacheType cache_type = CacheType::f32, size_t each = 1);

  /// Takes in tokens, which follow all earlier ones, and returns the logits (V) for what comes next. They hold until
  /// the next call. Allocates nothing. Throws ContractError for no tokens, or one that the vocabulary does not have.
  std::span<real> feed(std::span<const std::int32_t> tokens);
  /// The same in one pass, with the logits (N, V) for what comes after each: bit for bit those that feed gives for one
  /// token after the other. Throws ContractError for more tokens than `each`, a chunk, or the cache have room for.
  View<const real, 2> feed_each(std::span<const std::int32_t> tokens);

  /// Forgets everything.
  void reset() { cache_.reset(); }
  /// Forgets all tokens from `length` on, so that others can follow those before it. Once the oldest are forgotten, it
  /// can only forget everything.
  void truncate(size_t length) { cache_.truncate(length); }
  size_t length() const { return cache_.length(); }
  size_t chunk() const { return chunk_; }  // tokens that run at a time, at most
  size_t vocabulary_size() const { return weights_.config.vocabulary_size; }
  const KvCache& cache() const { return cache_; }
  ThreadPool& pool() { return pool_; }  // for work between two calls

  /// What a decoder of these arguments allocates beside its cache: the activations of a chunk, and logits.
  static size_t bytes_of_pass(const LlamaConfig& config, size_t capacity, size_t chunk, size_t threads,
                              CacheType cache_type = CacheType::f32);
  size_t bytes_of_pass() const { return activations_.bytes() + logits_.capacity() * sizeof(real); }

 private:
  const LlamaWeights& weights_;
  size_t chunk_;
  KvCache cache_;
  LlamaActivations activations_;
  Arena<real> logits_;
  View<real, 2> each_;  // (N, V) of them; feed writes the first row
  ThreadPool pool_;
};

}  // namespace cria
