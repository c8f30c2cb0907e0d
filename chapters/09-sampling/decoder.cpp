#include "chapters/09-sampling/decoder.hpp"

#include <algorithm>

#include "chapters/05-attention/attention.hpp"
#include "lib/base/check.hpp"

namespace cria {

size_t decoder_chunk(const LlamaConfig& config, size_t capacity, size_t chunk) {
  constexpr size_t most_bytes = size_t(24) << 20;
  return std::min({chunk, capacity, std::max<size_t>(most_bytes / LlamaActivations::bytes_per_row(config), 1)});
}

Decoder::Decoder(const LlamaWeights& weights, size_t capacity, size_t chunk, size_t threads, CacheType cache_type,
                 size_t each)
    : weights_(weights),
      chunk_(decoder_chunk(weights.config, capacity, chunk)),
      cache_(weights.config.layers, capacity, weights.config.kv_heads, weights.config.head_dim, 1, cache_type),
      activations_(weights.config, 1, chunk_, each > 1 ? std::max(capacity, stored_part + 1) : capacity,
                   Keep::one_layer, threads,
                   cache_type),  // feed_each needs a part at least (stored_attention_scratch_size)
      logits_(each * weights.config.vocabulary_size),
      each_(logits_.take(Shape<2>{each, weights.config.vocabulary_size})),
      pool_(threads) {}

size_t Decoder::bytes_of_pass(const LlamaConfig& config, size_t capacity, size_t chunk, size_t threads,
                              CacheType cache_type) {
  return LlamaActivations::bytes(config, 1, decoder_chunk(config, capacity, chunk), capacity, Keep::one_layer, threads,
                                 cache_type) +
         config.vocabulary_size * sizeof(real);
}

std::span<real> Decoder::feed(std::span<const std::int32_t> tokens) {
  require(!tokens.empty(), "Decoder::feed", "needs at least one token");
  auto compute = [&](const Team& team) {
    size_t last = 0;  // row of the newest token
    for (auto rest = tokens; !rest.empty();) {
      // Equal chunks, as a short one uses the weights that it reads badly; up to a full cache, then one token at a
      // time, as the window slides.
      const size_t chunks = (rest.size() + chunk_ - 1) / chunk_;
      const size_t room = cache_.capacity() - std::min(cache_.length(), cache_.capacity());
      const size_t count = std::min((rest.size() + chunks - 1) / chunks, std::max<size_t>(room, 1));
      llama_forward(weights_, {View<const std::int32_t, 2>(rest, {1, count})}, activations_, &cache_, team);
      rest = rest.subspan(count);
      last = count - 1;
    }
    llama_logits(weights_, activations_.normed.rows(last, last + 1), each_.rows(0, 1), team);
  };
  // The threads meet some thirty times in a token, at the barriers of llama_forward. Where other work keeps one of them
  // from running, a thread alone is faster.
  if (tokens.size() == 1 && Signal::crowded())
    compute(Team());
  else
    pool_.together(compute);
  return each_[0].span();
}

View<const real, 2> Decoder::feed_each(std::span<const std::int32_t> tokens) {
  const size_t N = tokens.size();
  require(N > 0 && N <= each_.shape(0) && N <= chunk_, "Decoder::feed_each", "needs tokens, and room for their logits");
  if (N == 1) return feed(tokens), each_.rows(0, 1);  // also where the window slides
  require(cache_.length() + N <= cache_.capacity(), "Decoder::feed_each", "the cache has no room for all of them");
  const Stretch stretch{0, N};
  pool_.together([&](const Team& team) {
    llama_forward(weights_, {.tokens = View<const std::int32_t, 2>(tokens, {1, N}), .stretches = {&stretch, 1}},
                  activations_, &cache_, team);
    llama_logits(weights_, activations_.normed.rows(0, N), each_.rows(0, N), team, Rows::apart);
  });
  return each_.rows(0, N);
}

}  // namespace cria
