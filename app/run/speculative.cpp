#include "app/run/speculative.hpp"

#include <fmt/format.h>

#include "lib/base/check.hpp"

namespace cria {

void require_same_tokens(const ModelView& model, const ModelView& draft, const std::string& draft_name) {
  const auto refuse = [&](const std::string& reason) {
    throw UserError(fmt::format("{} cannot draft for this model: {}", draft_name, reason));
  };
  if (!draft.tokenizer) refuse("it has no tokenizer");
  const size_t here = model.config.llama.vocabulary_size, there = draft.config.llama.vocabulary_size;
  if (here != there) refuse(fmt::format("it has {} tokens, and the model has {}", there, here));
  const size_t size = model.tokenizer->vocabulary_size();
  if (size != draft.tokenizer->vocabulary_size())
    refuse(
        fmt::format("its tokenizer has {} tokens, and the model's has {}", draft.tokenizer->vocabulary_size(), size));
  for (size_t i = 0; i < size; ++i) {
    const std::string_view a = model.tokenizer->piece(static_cast<TokenId>(i));
    const std::string_view b = draft.tokenizer->piece(static_cast<TokenId>(i));
    if (a != b) refuse(fmt::format("its token {} is {}, and the model's is {}", i, in_quotes(b), in_quotes(a)));
  }
}

std::optional<PackedModel> open_draft(const DraftOptions& options, const ModelView& model) {
  constexpr size_t most_drafted = 64;
  if (options.tokens == 0 || options.tokens > most_drafted)
    throw UserError(fmt::format("--draft-tokens is {}, expected 1 to {}", options.tokens, most_drafted));
  if (options.model == "ngram") return std::nullopt;
  std::optional<PackedModel> small = open_packed_model(options.model);
  require_same_tokens(model, *small, options.model);
  return small;
}

GenerationResult speculate(const DraftOptions& options, const PackedModel* small, const ModelView& model,
                           size_t positions, CacheType cache_type, size_t threads, const std::vector<TokenId>& prompt,
                           std::span<const TokenId> ends, const GenerationOptions& generation,
                           const std::function<void(std::string_view)>& show, SpeculationFigures& figures) {
  std::unique_ptr<Draft> draft = std::make_unique<PromptLookup>();
  if (small) {
    const size_t capacity = std::min(positions, small->config.llama.context);
    draft = std::make_unique<DraftModel>(small->weights, capacity, ends, generation.sampling, threads);
  }
  const size_t most = std::min(options.tokens, decoder_chunk(model.config.llama, positions) - 1);
  Decoder decoder(model.weights, positions, default_chunk, threads, cache_type, most + 1);
  return speculate_text(decoder, *draft, most, *model.tokenizer, prompt, ends, generation, show, figures);
}

}  // namespace cria
