#include "chapters/09-sampling/decoder.hpp"

#include <algorithm>

#include "lib/base/check.hpp"

namespace cria {

size_t decoder_chunk(const LlamaConfig& config, size_t capacity, size_t chunk) {
  constexpr size_t most_bytes = size_t(24) << 20;
  return std::min({chunk, capacity, std::max<size_t>(most_bytes / LlamaActivations::bytes_per_row(config), 1)});
}

Decoder::Decoder(const LlamaWeights& weights, size_t capacity, size_t chunk, size_t threads, CacheType cache_type)
    : weights_(weights),
      chunk_(decoder_chunk(weights.config, capacity, chunk)),
      cache_(weights.config.layers, capacity, weights.config.kv_heads, weights.config.head_dim, 1, cache_type),
      activations_(weights.config, 1, chunk_, capacity, Keep::one_layer, threads, cache_type),
      logits_(weights.config.vocabulary_size),
      pool_(threads) {
  logits_.take(Shape<1>{weights.config.vocabulary_size});  // of which span() is a view
}

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
    llama_logits(weights_, activations_.normed.rows(last, last + 1),
                 View<real, 2>(logits_.span(), {1, logits_.capacity()}), team);
  };
  // The threads meet some thirty times in a token, at the barriers of llama_forward. Where other work keeps one of them
  // from running, a thread alone is faster.
  if (tokens.size() == 1 && Signal::crowded())
    compute(Team());
  else
    pool_.together(compute);
  return logits_.span();
}

}  // namespace cria
