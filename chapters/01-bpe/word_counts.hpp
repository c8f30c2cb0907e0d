// Counting the distinct pieces ("words") of a text: all that BPE training needs to know of it.
//
// A text of any length comes down to its distinct words, which fit in memory when the text does not. Only the pattern
// `none` keeps no words apart: there a whole document is one word, and training holds the text in memory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "chapters/01-bpe/byte_strings.hpp"
#include "chapters/01-bpe/special_tokens.hpp"
#include "chapters/01-bpe/split.hpp"

namespace cria {

struct WordCounts {
  ByteStrings words;                 // in the order in which they were first met
  std::vector<std::int64_t> counts;  // of each word

  void add(std::string_view word, std::int64_t times = 1) {
    const std::size_t index = words.insert(word);
    if (index == counts.size()) counts.push_back(0);
    counts[index] += times;
  }
};

/// How a text falls into words: documents, parts between special tokens, pieces. Separators and special tokens are no
/// words themselves.
struct WordBorders {
  SplitPattern pattern = SplitPattern::llama3;
  SpecialTokens specials;
  std::string separator;  // of documents; empty: the text is one
  bool lines = false;     // each line is a text by itself, with a blank in front, as SentencePiece learns
};

void count_words(std::string_view text, const WordBorders& borders, WordCounts& into);

/// The same for files, each by itself, read `chunk` bytes at a time and cut at borders where the split is the same as
/// in the whole. Where no such border is found in 16 chunks (text without a single space), it is cut anyway. Throws
/// UserError for a file that cannot be read, and when there is not one word in them.
WordCounts count_words_in_files(const std::vector<std::filesystem::path>& files, const WordBorders& borders,
                                std::size_t chunk = std::size_t{4} << 20);

}  // namespace cria
