#include "chapters/08-llama/config.hpp"

#include <fmt/format.h>

#include <cmath>

#include "lib/base/check.hpp"

namespace cria {
namespace {

// Far more than any Llama has, and so little that no size computed from several of them overflows.
constexpr size_t most_layers = size_t{1} << 12, most_width = size_t{1} << 20, most_tokens = size_t{1} << 24;

}  // namespace

void LlamaConfig::validate() const {
  const auto in_range = [](const char* name, size_t value, size_t most) {
    if (value == 0) throw UserError(fmt::format("{} is 0, expected at least 1", name));
    if (value > most) throw UserError(fmt::format("{} is {}, expected at most {}", name, value, most));
  };
  in_range("vocab_size", vocabulary_size, most_tokens);
  in_range("hidden_size", dim, most_width);
  in_range("intermediate_size", hidden_dim, most_width);
  in_range("num_hidden_layers", layers, most_layers);
  in_range("num_attention_heads", heads, most_width);
  in_range("num_key_value_heads", kv_heads, most_width);
  in_range("head_dim", head_dim, most_width);
  in_range("num_attention_heads times head_dim", heads * head_dim, most_width);
  in_range("max_position_embeddings", context, most_tokens);
  if (heads % kv_heads != 0)
    throw UserError(fmt::format(
        "num_attention_heads is {} and num_key_value_heads is {}: the second must divide the first", heads, kv_heads));
  if (head_dim % 2 != 0)
    throw UserError(fmt::format("head_dim is {}, expected an even number: RoPE turns pairs", head_dim));
  if (!(norm_eps >= 0) || !std::isfinite(norm_eps))
    throw UserError(fmt::format("rms_norm_eps is {}, expected 0 or more", norm_eps));
  const RopeScaling& scaling = rope_scaling;
  if (!(scaling.factor > 0) || !std::isfinite(scaling.factor))
    throw UserError(fmt::format("the factor of RoPE's scaling is {}, expected more than 0", scaling.factor));
  if (!(scaling.low_turns > 0 && scaling.low_turns < scaling.high_turns))
    throw UserError(fmt::format("RoPE's low_freq_factor is {} and high_freq_factor {}: expected 0 < low < high",
                                scaling.low_turns, scaling.high_turns));
  if (!(scaling.original_context > 0))
    throw UserError(
        fmt::format("RoPE's original_max_position_embeddings is {}, expected more than 0", scaling.original_context));
  if (scaling.kind == RopeScaling::Kind::divisors && scaling.divisors.size() != head_dim / 2)
    throw UserError(fmt::format("RoPE has {} divisors, expected {} for head_dim {}", scaling.divisors.size(),
                                head_dim / 2, head_dim));
  for (const float divisor : scaling.divisors)
    if (!(divisor > 0)) throw UserError(fmt::format("a divisor of RoPE is {}, expected more than 0", divisor));
  if (!(rope_theta > 0) || !std::isfinite(rope_theta))
    throw UserError(fmt::format("rope_theta is {}, expected more than 0", rope_theta));
}

double forward_operations_per_token(const LlamaConfig& c, double keys) {
  const double attention = double(c.dim) * c.head_dim * (2 * c.heads + 2 * c.kv_heads);
  const double feed_forward = 3.0 * c.dim * c.hidden_dim;
  const double products = c.layers * (attention + feed_forward) + double(c.vocabulary_size) * c.dim;
  return 2 * products + 4.0 * c.layers * c.heads * c.head_dim * keys;
}

double prompt_operations(const LlamaConfig& c, size_t tokens) {
  const double head = 2.0 * double(c.vocabulary_size) * double(c.dim);
  return double(tokens) * (forward_operations_per_token(c, double(tokens + 1) / 2) - head) + head;
}

double training_operations_per_token(const LlamaConfig& c, size_t positions) {
  return 3 * forward_operations_per_token(c, double(positions + 1) / 2);
}

}  // namespace cria
