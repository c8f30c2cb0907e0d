// Infilling: the prompt with which Code Llama writes what stands between two parts of a text (Bavarian et al. 2022,
// arXiv:2207.14255; Rozière et al. 2023, arXiv:2308.12950, section 2.3).
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "chapters/01-bpe/tokenizer.hpp"

namespace cria {

/// Whether the prompt is prefix, suffix, middle (PSM), or suffix, prefix, middle (SPM), where what is written follows
/// the prefix directly.
enum class InfillingOrder { prefix_first, suffix_first };

/// The tokens <PRE>, <SUF>, <MID> and <EOT>, at which the middle ends.
struct InfillingTokens {
  TokenId prefix, suffix, middle, end;
};

/// Throws UserError naming the token that the vocabulary lacks: only Code Llama's 7B, 13B and 70B, base and instruct,
/// were trained with them.
InfillingTokens find_infilling_tokens(const Tokenizer& tokenizer);

/// <PRE> prefix <SUF> suffix <MID>, or <PRE> <SUF> suffix <MID> prefix, after `begin`. A suffix is encoded as the
/// continuation that it is, without a blank in front. Neither part becomes a special token, whatever it holds.
std::vector<TokenId> infilling_prompt(const Tokenizer& tokenizer, std::optional<TokenId> begin, std::string_view prefix,
                                      std::string_view suffix, InfillingOrder order = InfillingOrder::prefix_first);

}  // namespace cria
