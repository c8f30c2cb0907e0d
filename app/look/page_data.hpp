// What the page shows of a text in a model: all views but training, as one value.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "app/look/merge_steps.hpp"
#include "app/look/passage.hpp"
#include "chapters/12-open-weights/packed_model.hpp"

namespace cria::look {

/// So many tokens may a text have: a page holds every number of the pass. At least 1.
size_t most_tokens(const LlamaConfig& config);

/// Throws UserError for more tokens, in one line that says how many.
void check_length(const LlamaConfig& config, size_t tokens);

/// The first two sentences of a built-in story.
std::string story_beginning();

/// {"model", "text", "tokenizers": [token_data], "inside", "next", "lens", "headsOff", "story", "pieces", "begin",
/// "ends"}: all that the page shows of the model where it reads `text`, whose tokens are `tokens`. Every head is
/// switched off where all of them take no more than `operations`. Throws UserError as check_length does, and what `ask`
/// throws.
nlohmann::json page_data(const ModelView& model, const MergeSteps& merges, const std::string& name,
                         std::string_view text, const std::vector<TokenId>& tokens, double operations,
                         const Ask& ask = {});

}  // namespace cria::look
