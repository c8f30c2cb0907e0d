// Chapter 14, ROUGE-L.
#include "chapters/14-sft/rouge.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <unordered_map>

namespace cria {

std::vector<std::string> rouge_words(std::string_view text) {
  std::vector<std::string> words;
  bool inside = false;
  for (const char c : text) {
    const bool capital = c >= 'A' && c <= 'Z';
    const bool letter =
        capital || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (static_cast<unsigned char>(c) & 0x80);
    if (letter && !inside) words.emplace_back();
    if (letter) words.back() += capital ? static_cast<char>(c - 'A' + 'a') : c;
    inside = letter;
  }
  return words;
}

CommonSubsequence::CommonSubsequence(std::span<const WordId> words)
    : words_(words.size()), blocks_((words.size() + bits - 1) / bits), places_(blocks_) {
  std::uint32_t rows = 1;
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] >= row_of_.size()) row_of_.resize(words[i] + 1);
    std::uint32_t& row = row_of_[words[i]];
    if (row == 0) row = rows++, places_.resize(rows * blocks_);
    places_[row * blocks_ + i / bits] |= std::uint64_t{1} << (i % bits);
  }
}

size_t CommonSubsequence::length(std::span<const WordId> other) const {
  constexpr size_t few = 8;
  std::array<std::uint64_t, few> on_stack;
  std::vector<std::uint64_t> on_heap(blocks_ > few ? blocks_ : 0);
  const std::span<std::uint64_t> row = blocks_ > few ? std::span(on_heap) : std::span(on_stack).first(blocks_);
  // Bit i of the row is 0 where the common subsequence of `other` so far with the first i + 1 words is longer than with
  // the first i, as it is nowhere at first.
  std::ranges::fill(row, ~std::uint64_t{0});
  for (const WordId word : other) {
    if (word >= row_of_.size() || row_of_[word] == 0) continue;
    const std::uint64_t* places = places_.data() + row_of_[word] * blocks_;
    // solution: subsequence_row
    // Of each run of ones and the zero behind it, the first place of the word becomes the zero.
    std::uint64_t carry = 0;
    for (size_t k = 0; k < blocks_; ++k) {
      const std::uint64_t open = row[k], met = open & places[k];
      const std::uint64_t sum = open + met;
      row[k] = (sum + carry) | (open & ~places[k]);
      carry = (sum < open) | (sum + carry < sum);
    }
    // end of solution
  }
  size_t ones = 0;
  for (const std::uint64_t part : row) ones += static_cast<size_t>(std::popcount(part));
  return bits * blocks_ - ones;
}

double f_measure(size_t common, size_t a, size_t b) {
  if (common == 0) return 0;
  // solution: f_measure
  const double precision = double(common) / double(a), recall = double(common) / double(b);
  return 2 * precision * recall / (precision + recall);
  // end of solution
}

double largest_f_measure(size_t a, size_t b) { return f_measure(std::min(a, b), a, b); }

double rouge_l(std::string_view a, std::string_view b) {
  std::unordered_map<std::string, WordId> known;
  const auto ids = [&](std::string_view text) {
    std::vector<WordId> words;
    for (const std::string& word : rouge_words(text))
      words.push_back(known.try_emplace(word, static_cast<WordId>(known.size())).first->second);
    return words;
  };
  const std::vector<WordId> first = ids(a), second = ids(b);
  return f_measure(CommonSubsequence(first).length(second), first.size(), second.size());
}

}  // namespace cria
