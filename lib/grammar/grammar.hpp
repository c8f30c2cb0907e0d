// The grammar of the built-in stories: rules, threads, requests, and how a file of them is read.
//
// docs/stories.md explains the format with examples. Left out on purpose: recursion. No rule may lead back to itself,
// so every story is finite, and their number, entropy and mean length are exact sums (statistics.hpp).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace cria {

/// One piece of an alternative.
struct Symbol {
  enum class Kind : std::uint8_t { text, rule, thread };
  Kind kind = Kind::text;
  bool capital = false;     // [Rule] and {Thread.field}: the first letter of what they give is a capital
  std::uint32_t index = 0;  // of the rule or thread
  std::uint32_t field = 0;  // of a thread's row
  std::string text;         // Kind::text
};
using Sequence = std::vector<Symbol>;

/// A rule: one of its alternatives is drawn, anew at every mention.
struct Alternative {
  double log2_probability = 0;
  Sequence sequence;
};
struct Rule {
  std::string name;          // "" for a choice written inline, (a|b|c)
  bool is_sentence = false;  // every alternative is one sentence form
  std::string place;         // file:line
  std::vector<Alternative> alternatives;
};

/// A thread: a list from which a story draws one row, at the first mention, and recalls it at every later one.
struct Row {
  double log2_probability = 0;
  std::vector<Sequence> fields;
};
struct Thread {
  std::string name;
  std::vector<std::string> fields;
  std::string place;
  std::vector<Row> rows;
};

/// The rows that a story has drawn, one for each thread; null where it has not mentioned one.
using DrawnRows = std::vector<const Row*>;

/// What a request may ask for: a text of threads, such as the hero's name, or the number of a story's sentences.
struct Slot {
  std::string name;
  Sequence value;  // of text and threads; empty: the number of sentences
  std::string place;
  std::vector<std::string> wordings;  // each with {} for the value
};

struct Grammar {
  std::vector<Rule> rules;
  std::vector<Thread> threads;
  std::uint32_t start = 0;  // the rule `story`
  // Both empty where the grammar has no requests.
  std::vector<Slot> slots;
  std::vector<std::string> requests;  // wordings, each with {} for the list of what is asked for

  /// Reads a grammar file and those that it includes. Throws UserError "file:line: what is wrong".
  static Grammar load(const std::filesystem::path& path);
  /// The same from memory, where nothing can be included; `name` stands for the file in messages.
  static Grammar read(std::string_view text, const std::string& name);
};

}  // namespace cria
