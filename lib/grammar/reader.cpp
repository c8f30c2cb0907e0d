// Reads a grammar file into rules, threads and requests, and refuses one that is not sound.
//
// Two passes over the sections: the first collects the names, so that a rule may be used before it is written; the
// second turns text into symbols. check.cpp and slots.cpp then look at the whole.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "lib/base/check.hpp"
#include "lib/base/file.hpp"
#include "lib/grammar/check.hpp"
#include "lib/grammar/grammar.hpp"
#include "lib/grammar/sections.hpp"
#include "lib/grammar/sequences.hpp"
#include "lib/grammar/slots.hpp"

namespace cria {
namespace {

class Reader {
 public:
  Reader(std::string_view text, const std::string& file, const std::filesystem::path& folder)
      : file_(file), sections_(read_sections(std::string(text), file, folder)) {}

  Grammar read() {
    for (const Section& section : sections_.list)
      if (!section.key.empty()) declare(section.lines.front());
    for (const Section& section : sections_.list) {
      line_ = &section.lines.front();
      if (section.key.empty()) fail("an indented line must follow a line `rule`, `sentence` or `list`");
      read(section);
    }
    for (auto& rule : grammar_.rules) normalise(rule.alternatives, "rule " + rule.name, rule.place);
    for (auto& thread : grammar_.threads) normalise(thread.rows, "list " + thread.name, thread.place);
    const auto start = names_.rules.find("story");
    if (start == names_.rules.end()) throw UserError(file_ + ": a grammar needs a rule named `story`");
    grammar_.start = start->second;
    check_grammar(grammar_);
    check_slots(grammar_, file_);
    return std::move(grammar_);
  }

 private:
  static constexpr size_t most_fields = 100;

  [[noreturn]] void fail(const std::string& message) const { throw UserError(line_->place() + ": " + message); }

  /// The line's first word, and what follows it.
  static std::pair<std::string_view, std::string_view> head(const Line& line) {
    const size_t space = std::min(line.text.find(' '), line.text.size());
    return {line.text.substr(0, space), trim(line.text.substr(space))};
  }

  /// First pass: `rule name`, `sentence name`, `list name: field | field`, `slot name: value` or `request`.
  void declare(const Line& line) {
    line_ = &line;
    const auto [keyword, rest] = head(line);
    if (keyword == "rule" || keyword == "sentence") {
      name_is_new(std::string(rest));
      names_.rules[std::string(rest)] = static_cast<std::uint32_t>(grammar_.rules.size());
      grammar_.rules.push_back({std::string(rest), keyword == "sentence", line.place(), {}});
    } else if (keyword == "list") {
      declare_list(rest);
    } else if (keyword != "slot" && line.text != "request") {
      fail(fmt::format("expected `rule`, `sentence` or `list` (or an indented line), found `{}`", keyword));
    }
  }

  void declare_list(std::string_view rest) {
    const size_t colon = rest.find(':');
    if (colon == rest.npos) fail("a list names its fields: `list name: field | field`");
    Thread thread{std::string(trim(rest.substr(0, colon))), {}, line_->place(), {}};
    name_is_new(thread.name);
    for (std::string_view field : split_at_bars(rest.substr(colon + 1))) {
      thread.fields.emplace_back(trim(field));
      const auto& fields = thread.fields;
      if (fields.size() > most_fields) fail(fmt::format("list {} has more than {} fields", thread.name, most_fields));
      if (fields.back().empty() || std::count(fields.begin(), fields.end(), fields.back()) > 1)
        fail(fmt::format("list {}: field names must be distinct and not empty", thread.name));
    }
    names_.threads[thread.name] = static_cast<std::uint32_t>(grammar_.threads.size());
    grammar_.threads.push_back(std::move(thread));
  }

  void require_name(const std::string& name) const {
    if (name.empty() || (name[0] >= 'A' && name[0] <= 'Z') || name.find_first_of("{}[]()|.:") != name.npos)
      fail(fmt::format("`{}` is no name: it starts with a small letter and has none of {{}}[]()|.:", name));
  }

  void name_is_new(const std::string& name) const {
    require_name(name);
    if (names_.rules.contains(name) || names_.threads.contains(name)) fail(fmt::format("`{}` is defined twice", name));
  }

  /// Second pass.
  void read(const Section& section) {
    const auto [keyword, rest] = head(section.lines.front());
    const auto name = [rest = rest] { return std::string(trim(rest.substr(0, rest.find(':')))); };
    const bool is_list = keyword == "list", is_slot = keyword == "slot";
    if (is_slot) add_slot(name(), rest);
    if (keyword == "request" && !grammar_.requests.empty()) fail("`request` is there twice");
    for (size_t i = 1; i < section.lines.size(); ++i) {
      line_ = &section.lines[i];
      if (is_slot)
        add_wordings(grammar_.slots.back().wordings);
      else if (keyword == "request")
        add_wordings(grammar_.requests);
      else if (is_list)
        add_rows(names_.threads.at(name()));
      else
        add_alternatives(names_.rules.at(std::string(rest)));
    }
  }

  /// One alternative, or several short ones with `|` between them.
  void add_alternatives(std::uint32_t rule) {
    for (std::string_view part : split_at_bars(line_->text)) {
      part = trim(part);
      const double weight = take_weight(part);
      if (part.empty()) fail("an empty alternative: write () for nothing");
      Sequence sequence = read_sequence(part);  // may add inline rules, so the rule is looked up afterwards
      grammar_.rules[rule].alternatives.push_back({weight, std::move(sequence)});
    }
  }

  /// One row; a list with a single field may have several on a line, with `|` between them.
  void add_rows(std::uint32_t index) {
    Thread& thread = grammar_.threads[index];
    const size_t expected = thread.fields.size();
    std::string_view text = line_->text;
    Row row{expected == 1 ? 1 : take_weight(text), {}};
    for (std::string_view part : split_at_bars(text)) {
      part = trim(part);
      if (expected == 1) {
        const double weight = take_weight(part);
        thread.rows.push_back({weight, {read_sequence(part)}});
      } else {
        row.fields.push_back(read_sequence(part));
      }
    }
    if (expected == 1) return;
    if (row.fields.size() != expected)
      fail(fmt::format("list {} has {} fields, this line has {}", thread.name, expected, row.fields.size()));
    thread.rows.push_back(std::move(row));
  }

  void add_slot(std::string name, std::string_view rest) {
    require_name(name);
    const size_t colon = std::min(rest.find(':'), rest.size() - 1);
    const std::string_view value = trim(rest.substr(colon + 1));
    if (value.empty()) fail(fmt::format("slot {} has no value: expected `slot {}: {{list.field}}`", name, name));
    if (std::ranges::find(grammar_.slots, name, &Slot::name) != grammar_.slots.end())
      fail(fmt::format("slot {} is defined twice", name));
    Sequence sequence = value == "number of sentences" ? Sequence{} : read_sequence(value);
    grammar_.slots.push_back({std::move(name), std::move(sequence), line_->place(), {}});
  }

  /// Texts with one {} each.
  void add_wordings(std::vector<std::string>& wordings) const {
    for (std::string_view part : split_at_bars(line_->text)) {
      part = trim(part);
      const size_t at = part.find("{}");
      if (at == part.npos || part.find_first_of("{}[]", at + 2) != part.npos || part.find_first_of("{}[]") != at)
        fail("a wording has one {}, where what is asked for stands, and no other bracket");
      wordings.emplace_back(part);
    }
  }

  /// `3: text` has weight 3; a line without a number has weight 1.
  double take_weight(std::string_view& text) const {
    double weight = 1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), weight);
    if (error == std::errc::invalid_argument || end == text.data() + text.size() || *end != ':') return 1;
    if (error != std::errc() || !(weight > 0) || !std::isfinite(weight)) fail("a weight must be a number above 0");
    text = trim(text.substr(static_cast<size_t>(end - text.data()) + 1));
    return weight;
  }

  Sequence read_sequence(std::string_view text) { return cria::read_sequence(text, *line_, names_, grammar_); }

  /// Turns the weights of the alternatives, or rows, into log2 probabilities.
  template <class Choices>
  static void normalise(Choices& choices, const std::string& what, const std::string& place) {
    const auto fail = [&](const char* message) { throw UserError(fmt::format("{}: {} {}", place, what, message)); };
    if (choices.empty()) fail("has no lines");
    double total = 0;
    for (const auto& choice : choices) total += choice.log2_probability;
    for (auto& choice : choices) {
      choice.log2_probability = std::log2(choice.log2_probability / total);
      if (!std::isfinite(choice.log2_probability)) fail("has weights too far apart, or too large");
    }
  }

  std::string file_;
  Sections sections_;
  const Line* line_ = nullptr;  // that is read now
  Names names_;
  Grammar grammar_;
};

}  // namespace

Grammar Grammar::read(std::string_view text, const std::string& name) { return Reader(text, name, {}).read(); }

Grammar Grammar::load(const std::filesystem::path& path) {
  return Reader(read_file(path), path.string(), path.has_parent_path() ? path.parent_path() : ".").read();
}

}  // namespace cria
