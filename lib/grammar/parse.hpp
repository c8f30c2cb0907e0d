// Finds the derivations of a text: the way back from a story to the choices that made it.
#pragma once

#include <bitset>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/grammar/grammar.hpp"

namespace cria {

struct Parse {
  double log2_probability = 0;  // of the text: the sum over its derivations
  size_t derivations = 0;       // 1 for every story of an unambiguous grammar; the largest number stands for more
  DrawnRows rows;               // that one of them drew
};

/// Where a text leaves the grammar.
struct Mismatch {
  size_t position = 0;   // bytes of the text that some story of the grammar begins with
  std::string expected;  // what could have followed, e.g. `Mia (hero.name, drawn before)`
};

/// How stories go on that begin with a text: with these bytes, up to a place where the grammar may choose again.
struct StoryWay {
  std::string text;             // empty: the story ends here
  double log2_probability = 0;  // that a story begins with the text and this
};

/// Reads texts against one grammar, which must outlive it. Its state is fixed, so threads may share it. What it answers
/// throws UserError where the grammar is so ambiguous that a text can be begun in millions of ways (see match.hpp).
class Parser {
 public:
  explicit Parser(const Grammar& grammar);

  const Grammar& grammar() const { return grammar_; }

  /// All derivations of a whole story, without its newline; nothing when there are none.
  std::optional<Parse> story(std::string_view text) const;

  /// Whether some story of the grammar may contain this sentence, whatever its threads were bound to before.
  bool sentence(std::string_view text) const;

  /// All ways to go on from the beginning of a story; none where no story begins so. Their probabilities add up to that
  /// of a story that begins with the text.
  std::vector<StoryWay> ways_on(std::string_view beginning) const;

  /// Why a story, or a sentence on its own, is not derivable.
  Mismatch why_not_story(std::string_view text) const;
  Mismatch why_not_sentence(std::string_view text) const;

 private:
  friend class Matcher;

  /// The bytes that a sequence can begin with, so that most alternatives are ruled out by one look at the text.
  struct First {
    std::bitset<256> bytes;
    bool empty = false;    // the sequence can be empty, so anything may come
    bool capital = false;  // and then a capital that it asked for is left to what comes
  };
  First first_of(const Sequence& sequence);
  const std::vector<First>& firsts_of_rule(std::uint32_t rule);  // found at the first call
  const std::vector<std::vector<First>>& firsts_of_thread(std::uint32_t thread);

  /// Fills any_sentence_ from this rule, or from a sequence outside sentences, where a capital is due or not. Returns
  /// whether afterwards none is due (1), one is (2), or either (3); `left` keeps that for [2 * rule + capital].
  unsigned find_sentences(std::uint32_t rule, bool capital, std::vector<unsigned>& left);
  unsigned find_sentences(const Sequence& sequence, bool capital, std::vector<unsigned>& left);

  const Grammar& grammar_;
  std::vector<First> rule_;                                    // [rule]
  std::vector<std::vector<First>> rule_first_;                 // [rule][alternative]
  std::vector<std::vector<std::vector<First>>> thread_first_;  // [thread][row][field]
  std::vector<bool> is_plain_;                                 // of rules: one choice of texts, and no sentence
  Sequence any_sentence_;  // a symbol for every `sentence` rule; two where it is mentioned with and without a capital
  Symbol start_;
};

}  // namespace cria
