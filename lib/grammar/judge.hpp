// Judges stories that a model has written, which the grammar may or may not allow.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/grammar/grammar.hpp"

namespace cria {

struct Fault {
  size_t story = 0;     // counted from 1
  size_t sentence = 0;  // counted from 1 inside the story
  std::string text;     // that sentence
  std::string reason;
};

struct Judgement {
  size_t sentences = 0, sentences_allowed = 0;  // allowed: some story of the grammar may contain it
  size_t stories = 0, stories_right = 0;        // right: derivable as a whole, so every thread is kept
  size_t bytes = 0;                             // of the right stories, newlines included
  double bits = 0;                              // -log2 of the probabilities of the right stories
  std::vector<Fault> faults;                    // the first few

  double sentence_share() const { return sentences ? double(sentences_allowed) / double(sentences) : 0; }
  /// Bits per byte of the right stories: the loss that no model can beat on them except by luck.
  std::optional<double> floor() const {
    return bytes ? std::optional(bits / static_cast<double>(bytes)) : std::nullopt;
  }
  double story_share() const { return stories ? double(stories_right) / double(stories) : 0; }
};

/// Sentences end at . ! or ?, with a closing quotation mark if there is one, before a space and a capital or an
/// opening quotation mark. Text after the last end is a sentence too.
std::vector<std::string_view> split_sentences(std::string_view story);

/// The stories of a text, which they point into: one a line, or with `separator` between two of them, so that a story
/// may have several lines. A line end on either side of the separator belongs to it; what is empty is no story.
std::vector<std::string_view> split_stories(std::string_view text, std::string_view separator = "\n");

/// Every story given counts, an empty one as well. Keeps at most `faults` examples of what was wrong, one a story.
Judgement judge(const Grammar& grammar, std::span<const std::string_view> stories, size_t faults = 5);
/// The same of a text with one story a line.
Judgement judge(const Grammar& grammar, std::string_view text, size_t faults = 5);

}  // namespace cria
