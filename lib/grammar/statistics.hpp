// Exact figures of a grammar: how many stories, how long, and how much there is to know in one.
#pragma once

#include <cstddef>

#include "lib/grammar/grammar.hpp"

namespace cria {

struct GrammarStatistics {
  size_t words = 0;           // distinct, small and capital letters taken as one
  size_t sentence_forms = 0;  // lines under `sentence`
  size_t rules = 0;           // named ones
  size_t threads = 0;
  double stories_log10 = 0;    // of the number of different stories
  double bits_per_story = 0;   // the entropy of a story
  double bytes_per_story = 0;  // mean length, newline included
  double sentences_per_story = 0;
  double floor() const { return bits_per_story / bytes_per_story; }  // bits per byte
};

/// The sums over all stories, exact up to rounding. They count derivations, so they hold for unambiguous grammars.
GrammarStatistics statistics(const Grammar& grammar);

}  // namespace cria
