// What the page's view of tokens shows: where a text falls into them, and how merges made them.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string_view>

#include "app/look/merge_steps.hpp"
#include "chapters/01-bpe/tokenizer.hpp"

namespace cria::look {

/// {"name", "vocabulary", "merges", "tokens": [id …], "words": [{"from", "to": of its tokens, "steps": [{"merge",
/// "tokens"} …]} …], "pieces": {id: bytes in hexadecimal}, "special": [id …]}. Tokens that no text becomes, such as
/// the one that begins a text, are words without steps; the tokenizer need not know them. `merges` are its own.
nlohmann::json token_data(const Tokenizer& tokenizer, const MergeSteps& merges, std::string_view name,
                          const std::vector<TokenId>& tokens);

/// The bytes of these tokens, by their ids; those that only the model knows, and no tokenizer, are left out.
nlohmann::json pieces_of(const Tokenizer& tokenizer, const std::set<TokenId>& ids);

}  // namespace cria::look
