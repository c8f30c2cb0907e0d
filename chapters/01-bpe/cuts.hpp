// Bounds for vocabularies that name no merges, as SentencePiece's and tiktoken's: there every way to cut a token into two
// tokens is a merge, so the time to find them grows as the square of a token's length.
#pragma once

#include <string>

#include "chapters/01-bpe/byte_strings.hpp"
#include "lib/base/check.hpp"

namespace cria {

/// Llama 3's longest token has 128 bytes, and its tokens can be cut in 280,147 ways.
inline constexpr std::size_t longest_cut_token = 512, most_cuts = std::size_t{1} << 21;

/// Throws UserError when a token is longer, or when there are more than 16 MB of tokens.
inline void require_cuttable(const ByteStrings& vocabulary) {
  constexpr std::size_t most_bytes = std::size_t{16} << 20;
  std::size_t bytes = 0;
  for (std::size_t id = 0; id < vocabulary.size(); ++id) {
    bytes += vocabulary[id].size();
    if (vocabulary[id].size() > longest_cut_token)
      throw UserError("token " + std::to_string(id) + " has " + std::to_string(vocabulary[id].size()) +
                      " bytes, expected at most " + std::to_string(longest_cut_token));
  }
  if (bytes > most_bytes)
    throw UserError("its tokens have " + std::to_string(bytes) + " bytes, expected at most " + std::to_string(most_bytes));
}

/// Throws UserError when there are more than most_cuts.
inline void require_few_cuts(std::size_t cuts) {
  if (cuts > most_cuts) throw UserError("its tokens can be cut in too many ways");
}

}  // namespace cria
