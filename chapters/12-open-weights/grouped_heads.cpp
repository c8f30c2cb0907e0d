#include "chapters/12-open-weights/grouped_heads.hpp"

#include <fmt/format.h>

#include <map>

#include "lib/base/check.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {
namespace {

/// Rows of heads (G*Dh, C) to the means of those of each group (G'*Dh, C).
void mean_of_groups(View<const real, 2> heads, size_t head_dim, View<real, 2> means) {
  const size_t groups = means.shape()[0] / head_dim, members = heads.shape()[0] / means.shape()[0];
  // solution: mean_of_groups
  for (size_t g = 0; g < groups; ++g) {
    const auto mean = means.rows(g * head_dim, (g + 1) * head_dim);
    noalias(mean) = 0;
    for (size_t h = g * members; h < (g + 1) * members; ++h)
      noalias(mean) += heads.rows(h * head_dim, (h + 1) * head_dim);
    noalias(mean) /= real(members);
  }
  // end of solution
}

}  // namespace

LlamaParameters group_heads(const LlamaParameters& weights, size_t kv_heads) {
  LlamaConfig config = weights.config();
  if (kv_heads == 0 || config.kv_heads % kv_heads != 0)
    throw UserError(
        fmt::format("{} key and value heads cannot be made of {}, expected a divisor", kv_heads, config.kv_heads));
  config.kv_heads = kv_heads;
  LlamaParameters grouped(config);
  const auto copy = [](const auto& from, const auto& to) { noalias(to) = from; };
  const LlamaTensors<real>&from = weights.tensors(), &to = grouped.tensors();
  copy(from.embedding, to.embedding);
  for (size_t i = 0; i < config.layers; ++i) {
    const auto &a = from.layers[i], &b = to.layers[i];
    mean_of_groups(a.key, config.head_dim, b.key);
    mean_of_groups(a.value, config.head_dim, b.value);
    copy(a.attention_norm, b.attention_norm), copy(a.query, b.query), copy(a.output, b.output);
    copy(a.feed_forward_norm, b.feed_forward_norm);
    copy(a.gate, b.gate), copy(a.up, b.up), copy(a.down, b.down);
  }
  copy(from.norm, to.norm);
  if (!config.tied_embeddings) copy(from.head, to.head);
  return grouped;
}

}  // namespace cria
