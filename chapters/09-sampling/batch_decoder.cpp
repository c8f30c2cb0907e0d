#include "chapters/09-sampling/batch_decoder.hpp"

#include "lib/base/check.hpp"

namespace cria {

BatchDecoder::BatchDecoder(const LlamaWeights& weights, size_t places, size_t capacity, size_t threads,
                           CacheType cache_type)
    : weights_(weights),
      prompts_(weights, capacity, default_chunk, threads, cache_type),
      cache_(weights.config.layers, capacity, weights.config.kv_heads, weights.config.head_dim, places, cache_type),
      activations_(weights.config, places, 1, capacity, Keep::one_layer, threads, cache_type),
      memory_(places * weights.config.vocabulary_size),
      logits_(memory_.take(Shape<2>{places, weights.config.vocabulary_size})) {}

View<const real, 1> BatchDecoder::read(std::span<const std::int32_t> prompt) {
  prompts_.reset();
  return {prompts_.feed(prompt), {vocabulary_size()}};
}

void BatchDecoder::step(std::span<const std::int32_t> tokens, const Use& use) {
  const size_t B = tokens.size();
  require(B > 0 && B <= places(), "BatchDecoder::step", "needs a token for each of the first places");
  prompts_.pool().together([&](const Team& team) {
    llama_forward(weights_, {View<const std::int32_t, 2>(tokens, {B, 1})}, activations_, &cache_, team);
    llama_logits(weights_, activations_.normed.rows(0, B), logits_.rows(0, B), team, Rows::apart);
    team.wait();
    const Range places = team.share(B);
    for (size_t place = places.begin; place < places.end; ++place) use(place, logits_[place]);
  });
}

}  // namespace cria
