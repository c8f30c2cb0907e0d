// Draws stories from a grammar, each with its exact probability.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "lib/base/random.hpp"
#include "lib/grammar/grammar.hpp"

namespace cria {

struct Story {
  std::string text;             // one line, without its newline
  double log2_probability = 0;  // of exactly this text, its end included
  size_t sentences = 0;
  DrawnRows rows;
};

/// Draws one story: every choice made by weight, every thread drawn at its first mention and recalled afterwards.
Story generate(const Grammar& grammar, Random& random);

/// What a corpus holds; a story's newline counts as one byte and marks its end.
struct CorpusTotals {
  size_t stories = 0, sentences = 0, bytes = 0;
  double bits = 0;  // the sum of -log2 of the probabilities
  /// The loss, in bits per byte, that no model can beat on this text except by luck.
  double floor() const { return bytes ? bits / static_cast<double>(bytes) : 0; }
};

/// Writes `count` stories, one a line, piece by piece: the corpus may be larger than memory.
CorpusTotals write_stories(const Grammar& grammar, std::uint64_t seed, size_t count,
                           const std::function<void(std::string_view)>& write);

}  // namespace cria
