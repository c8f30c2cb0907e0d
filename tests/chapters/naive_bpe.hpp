// Byte pair encoding as its definition says it, with no thought of speed. The lesson begins with it, and the fast code
// has to give the same.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "chapters/01-bpe/split.hpp"
#include "chapters/01-bpe/train.hpp"

namespace cria::testing {

using Word = std::vector<std::string>;  // the tokens of a piece, each as its bytes
using TokenPair = std::pair<std::string, std::string>;

/// Each piece of the text as single bytes.
inline std::vector<Word> words_of_bytes(std::string_view text, SplitPattern pattern) {
  std::vector<Word> words;
  for_each_piece(pattern, text, [&](std::string_view piece) {
    words.emplace_back();
    for (char byte : piece) words.back().emplace_back(1, byte);
  });
  return words;
}

/// The pair becomes one token wherever it stands, from the left.
inline void merge_everywhere(Word& word, const TokenPair& pair) {
  // example: merge_everywhere
  for (std::size_t i = 0; i + 1 < word.size(); ++i)
    if (word[i] == pair.first && word[i + 1] == pair.second) {
      word[i] += word[i + 1];
      word.erase(word.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    }
  // end of example
}

inline std::vector<TokenPair> naive_merges(std::string_view text, SplitPattern pattern, Ties ties, std::size_t wanted) {
  std::vector<Word> words = words_of_bytes(text, pattern);
  std::vector<TokenPair> merges;
  // example: naive_merges
  while (merges.size() < wanted) {
    std::map<TokenPair, int> counts, met;  // how often each pair stands there; when it was met first
    for (const Word& word : words)
      for (std::size_t i = 0; i + 1 < word.size(); ++i) {
        const TokenPair pair{word[i], word[i + 1]};
        ++counts[pair];
        met.try_emplace(pair, met.size());
      }
    if (counts.empty()) break;
    // The highest count goes first; of equal ones the pair met first, or the one with the greater bytes.
    const auto best = std::ranges::max_element(counts, {}, [&](const auto& entry) {
      const auto& [pair, count] = entry;
      return std::tuple(count, ties == Ties::first_met ? -met[pair] : 0, pair);
    });
    merges.push_back(best->first);
    for (Word& word : words) merge_everywhere(word, merges.back());
  }
  // end of example
  return merges;
}

/// Every merge in turn, over the whole piece.
inline void naive_encode(Word& word, const std::vector<TokenPair>& merges) {
  for (const TokenPair& pair : merges) merge_everywhere(word, pair);
}

}  // namespace cria::testing
