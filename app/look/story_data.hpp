// What the built-in stories' grammar says comes next: exactly, by summing over all stories that begin with a text.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string_view>

#include "app/look/passage.hpp"
#include "chapters/01-bpe/tokenizer.hpp"
#include "chapters/11-pretraining/model_config.hpp"
#include "lib/grammar/parse.hpp"

namespace cria::look {

/// The probability of each token behind `tokens`, which are those of `text`, among all stories whose tokens begin so;
/// `end` is what comes behind a whole story. Empty where no story begins so.
std::map<TokenId, double> story_next(const Parser& parser, const Tokenizer& tokenizer, std::string_view text,
                                     const std::vector<TokenId>& tokens, TokenId end);

/// Of each position {"top": [[id, p] …], "next": of the token that follows in the text, "entropy", "divergence": of the
/// model from the grammar, both in bits}, or null where no story begins so; null for a text that is no beginning of a
/// built-in story, and for a model that was not trained with tokens that begin and end a text.
nlohmann::json story_data(const Passage& passage, const Tokenizer& tokenizer, const ModelConfig& config,
                          std::set<TokenId>& shown);

}  // namespace cria::look
