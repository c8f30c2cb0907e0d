// The exact judge of answers: is it a story of the grammar, and does it have all that was asked for?
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "lib/grammar/parse.hpp"
#include "lib/grammar/slot_probability.hpp"

namespace cria {

struct AnswerJudgement {
  bool parses = false;          // the answer as a whole is a story of the grammar
  std::vector<bool> obeyed;     // of each slot that was asked for; none, where the answer does not parse
  double log2_probability = 0;  // of the story by itself, where it parses

  /// A whole request obeyed: the reward of the chapters that follow.
  bool all() const;
};

/// The parser's grammar is the one that has the slots. Threads may share the parser. The answer is taken without white
/// space at its ends.
AnswerJudgement judge_answer(const Parser& parser, std::span<const Asked> asked, std::string_view answer);

}  // namespace cria
