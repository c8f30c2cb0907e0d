#include "chapters/11-pretraining/generation_config.hpp"

#include <limits>

#include "chapters/11-pretraining/json_keys.hpp"
#include "lib/base/check.hpp"

namespace cria {
namespace {

// Known, and without effect on which token comes next.
constexpr std::string_view harmless_to_sampling[] = {
    "bos_token_id", "pad_token_id", "decoder_start_token_id", "transformers_version", "chat_format",
    // lengths, and how many texts
    "max_length", "max_new_tokens", "max_time", "num_return_sequences",
    // how the same numbers are computed, and what is returned of them
    "use_cache", "cache_implementation", "cache_config", "return_legacy_cache", "prefill_chunk_size",
    "num_assistant_tokens", "num_assistant_tokens_schedule", "assistant_confidence_threshold", "output_attentions",
    "output_hidden_states", "output_scores", "output_logits", "return_dict_in_generate", "remove_invalid_values",
    "renormalize_logits", "low_memory",
    // of beams, which are refused
    "length_penalty", "early_stopping"};

}  // namespace

std::vector<TokenId> GenerationConfig::with_ends(std::vector<TokenId> ends) const {
  ends.insert(ends.end(), end_of_text.begin(), end_of_text.end());
  return ends;
}

GenerationConfig read_generation_config(const std::filesystem::path& folder, size_t vocabulary_size) {
  GenerationConfig config;
  const std::filesystem::path file = folder / "generation_config.json";
  if (!std::filesystem::exists(file)) return config;
  const JsonKeys json(file);
  for (const char* key : {"num_beams", "num_beam_groups"}) json.expect(key, {1}, "beams are not supported");
  for (const char* key : {"typical_p", "encoder_repetition_penalty", "top_h"}) json.expect(key, {1});
  for (const char* key : {"no_repeat_ngram_size", "encoder_no_repeat_ngram_size", "penalty_alpha", "epsilon_cutoff",
                          "eta_cutoff", "diversity_penalty", "min_length", "min_new_tokens"})
    json.expect(key, {0});
  json.expect("guidance_scale", {1});

  SamplingOptions& s = config.sampling;
  s.temperature = json.number("temperature", s.temperature);
  s.top_p = json.number("top_p", s.top_p);
  s.min_p = json.number("min_p", s.min_p);
  s.repetition_penalty = json.number("repetition_penalty", s.repetition_penalty);
  const size_t top_k = json.whole("top_k", 0);
  s.top_k = static_cast<std::int32_t>(std::min<size_t>(top_k, std::numeric_limits<std::int32_t>::max()));
  if (!json.flag("do_sample", true)) s.temperature = 0;
  config.end_of_text = json.tokens("eos_token_id", vocabulary_size);
  json.refuse_others(harmless_to_sampling);
  try {
    Sampler(s, 1);
  } catch (const UserError& error) {
    json.fail(error.what());
  }
  return config;
}

}  // namespace cria
