// Chapter 14: a model goes on with another vocabulary, one that has tokens for what it is to learn.
//
// As Chinese tokens were added to LLaMA (OpenChineseLLaMA), with new rows that start at the mean of what they are made
// of. Left out: how a tokenizer is trained further.
#pragma once

#include <vector>

#include "chapters/01-bpe/tokenizer.hpp"
#include "chapters/08-llama/parameters.hpp"

namespace cria {

/// For each token of a new tokenizer what the old one has for it: the same token where there is one, else the tokens
/// that it makes of the same text. Special tokens are the same by their text; a new one is taken apart as plain text.
/// Throws UserError where the old tokenizer cannot read a token's text.
std::vector<std::vector<TokenId>> old_pieces(const Tokenizer& old, const Tokenizer& renewed);

/// The weights with a row for each of `pieces`, in the embedding and in a head of its own: the old one of a single
/// piece, the mean of several. All else is as it was. Throws ContractError for a piece that the model does not have.
LlamaParameters with_vocabulary(const LlamaParameters& weights, const std::vector<std::vector<TokenId>>& pieces);

}  // namespace cria
