// How the symbols of a word become its tokens, merge by merge.
#pragma once

#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "chapters/01-bpe/bpe_model.hpp"

namespace cria::look {

/// A word on its way: its symbols, or what the merge made of the step before. Merges are counted from 1; 0: none yet.
struct MergeStep {
  size_t merge = 0;
  std::vector<TokenId> tokens;
};

/// Chapter 01's rule one step at a time, for words: as slow as it is simple. Merger runs the same rule fast.
class MergeSteps {
 public:
  /// The model must outlive it.
  explicit MergeSteps(const BpeModel& model);

  /// From the word's bytes or characters to these tokens; empty where merges alone do not lead there: a piece that is a
  /// token as a whole, or a character that becomes bytes.
  std::vector<MergeStep> of(std::string_view word, const std::vector<TokenId>& tokens) const;

 private:
  const BpeModel& model_;
  std::map<std::pair<TokenId, TokenId>, size_t> order_;  // of each pair its place in the list of merges
};

}  // namespace cria::look
