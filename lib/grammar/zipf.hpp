// Facts whose frequencies fall by a power law: a grammar of lists with Zipf's weights (Zipf 1949). Fact k of K is a key
// and its value, letters drawn at random, and comes with the probability
//
//   p_k = k^-(1 + α) / Σ_j j^-(1 + α)
//
// A value follows from nothing but its key, so a model has to remember each fact by itself. How many of them it does
// not know decides its loss, and theory gives the exponents (chapter 20).
#pragma once

#include "lib/grammar/grammar.hpp"

namespace cria {

struct ZipfShape {
  std::size_t facts = 65536;  // K
  double exponent = 0.5;      // α, above 0
  std::size_t key = 4;        // letters, of a to z
  std::size_t value = 8;
};

/// p_1 … p_K, the most frequent first. Their sum is 1 up to rounding.
std::vector<double> zipf_probabilities(const ZipfShape& shape = {});

/// A story is "key value", a sentence without a full stop. Keys differ, so it has one derivation. The ranks 1, 2 to 3,
/// 4 to 7, … are a list each: a random number of 24 bits draws from one of them what it could not from all. The same
/// shape is the same grammar on every machine. Throws UserError for no facts, or more than there are keys.
Grammar zipf_grammar(const ZipfShape& shape = {});

}  // namespace cria
