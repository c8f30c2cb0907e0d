// Chapter 14: ROUGE-L, how much of two texts is the same words in the same order.
//
// Lin 2004 (aclanthology.org/W04-1013), section 3.1, with beta = 1. Left out: stems of words, and ROUGE-N.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cria {

using WordId = std::uint32_t;

/// The letters and digits between all else, in small letters, as Google's rouge_score takes words apart. There only
/// ASCII counts; here every byte beyond it is a letter, so that other scripts have words too.
std::vector<std::string> rouge_words(std::string_view text);

/// The longest common subsequence of a text with many others: words that stand in both in the same order, with any
/// others between them.
class CommonSubsequence {
 public:
  explicit CommonSubsequence(std::span<const WordId> words);

  /// Its length. Takes the other text's words times those of this one over 64, and allocates nothing for up to 512
  /// words.
  size_t length(std::span<const WordId> other) const;

 private:
  static constexpr size_t bits = 64;

  size_t words_, blocks_;
  std::vector<std::uint32_t> row_of_;  // by id: which row of places_ is that word's; 0 for words that are not here
  std::vector<std::uint64_t> places_;  // rows of blocks_: bit i is set where the word stands at place i
};

/// The harmonic mean of precision (common / a) and recall (common / b); 0 for empty texts.
double f_measure(size_t common, size_t a, size_t b);

/// The most that f_measure can be for texts of a and b words, whatever stands in them.
double largest_f_measure(size_t a, size_t b);

/// ROUGE-L's F-measure of two texts.
double rouge_l(std::string_view a, std::string_view b);

}  // namespace cria
