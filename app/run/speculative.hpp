// cria sample --draft: who guesses, and how well.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "chapters/12-open-weights/packed_model.hpp"
#include "chapters/22-serving/speculate.hpp"
#include "lib/tensor/stored_heads.hpp"

namespace cria {

inline constexpr const char* draft_help =
    "Guess tokens ahead and check several in one pass: a smaller model with the same tokens, or \"ngram\", which looks "
    "for what followed the last tokens before. The text is drawn as without it";

struct DraftOptions {
  std::string model;       // a folder or file, or "ngram"; empty: nobody guesses
  std::size_t tokens = 4;  // for each pass, at most
};

/// Throws UserError unless each token of the two stands for the same text.
void require_same_tokens(const ModelView& model, const ModelView& draft, const std::string& draft_name);

/// The model that guesses; none where the text itself does. Throws UserError for one that does not fit the model, and
/// for options out of their range.
std::optional<PackedModel> open_draft(const DraftOptions& options, const ModelView& model);

/// generate_text with a draft, which open_draft has opened.
GenerationResult speculate(const DraftOptions& options, const PackedModel* small, const ModelView& model,
                           size_t positions, CacheType cache_type, size_t threads, const std::vector<TokenId>& prompt,
                           std::span<const TokenId> ends, const GenerationOptions& generation,
                           const std::function<void(std::string_view)>& show, SpeculationFigures& figures);

}  // namespace cria
