// Walks the grammar once from `story`, depth first, over rules and lists alike.
#include "lib/grammar/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "lib/base/check.hpp"

namespace cria {
namespace {

class Checker {
 public:
  explicit Checker(Grammar& grammar) : grammar_(grammar) {
    rules_.resize(grammar.rules.size());
    threads_.resize(grammar.threads.size());
    within_.resize(grammar.rules.size());
  }

  void run() {
    visit(grammar_.start, rules_, grammar_.rules[grammar_.start]);
    for (size_t i = 0; i < rules_.size(); ++i)
      if (rules_[i].state == State::unseen)
        fail(grammar_.rules[i].place, "rule " + grammar_.rules[i].name + " is never used");
    for (size_t i = 0; i < threads_.size(); ++i)
      if (threads_[i].state == State::unseen)
        fail(grammar_.threads[i].place, "list " + grammar_.threads[i].name + " is never used");
    for (outer_ = 0; outer_ < rules_.size(); ++outer_)
      if (grammar_.rules[outer_].is_sentence) check_sentence(grammar_.rules[outer_]);
    outside_sentences(grammar_.rules[grammar_.start]);
  }

 private:
  enum class State { unseen, open, done };
  struct Seen {
    State state = State::unseen;
    double bytes = 0;     // the most that it can give
    double mentions = 0;  // the most of rules and lists that it goes through on the way
    void take_larger(const Seen& other) {
      bytes = std::max(bytes, other.bytes), mentions = std::max(mentions, other.mentions);
    }
  };
  static constexpr int deepest = 100;        // the parser and others call themselves at each level
  static constexpr double longest = 100000;  // bytes of a story
  static constexpr double most_mentions = 1e6;

  [[noreturn]] static void fail(const std::string& place, const std::string& message) {
    throw UserError(fmt::format("{}: {}", place, message));
  }

  template <class Node>
  Seen visit(size_t index, std::vector<Seen>& seen, const Node& node) {
    if (seen[index].state == State::done) return seen[index];
    if (seen[index].state == State::open)
      fail(node.place, fmt::format("`{}` leads back to itself: stories could be endless", node.name));
    if (depth_ == deepest) fail(node.place, fmt::format("`{}` is more than {} rules deep", node.name, deepest));
    seen[index].state = State::open;
    ++depth_;
    Seen most;
    if constexpr (std::is_same_v<Node, Rule>) {
      for (const Alternative& alternative : node.alternatives) most.take_larger(visit(alternative.sequence));
    } else {
      for (const Row& row : node.rows)
        for (const Sequence& field : row.fields) most.take_larger(visit(field));
    }
    --depth_;
    if (most.bytes > longest)
      fail(node.place, fmt::format("`{}` can be longer than {} bytes, which is no little story", node.name, longest));
    if (most.mentions > most_mentions)
      fail(node.place, fmt::format("`{}` can go through more than {} rules, too many for a little story", node.name,
                                   most_mentions));
    most.state = State::done;
    return seen[index] = most;
  }

  Seen visit(const Sequence& sequence) {
    Seen all;
    for (const Symbol& symbol : sequence) {
      if (symbol.kind == Symbol::Kind::text) {
        all.bytes += double(symbol.text.size());
        continue;
      }
      const Seen one = symbol.kind == Symbol::Kind::rule
                           ? visit(symbol.index, rules_, grammar_.rules[symbol.index])
                           : visit(symbol.index, threads_, grammar_.threads[symbol.index]);
      all.bytes += one.bytes, all.mentions += one.mentions + 1;
    }
    return all;
  }

  void check_sentence(const Rule& rule) {
    for (const Alternative& alternative : rule.alternatives) {
      std::string_view end = alternative.sequence.empty() ? "" : std::string_view(alternative.sequence.back().text);
      if (end.ends_with('"')) end.remove_suffix(1);
      if (end.empty() || std::string_view(".!?").find(end.back()) == std::string_view::npos)
        fail(rule.place, fmt::format("every line of sentence {} must end in . ! or ?", rule.name));
      inside_sentence(rule, alternative.sequence);
    }
  }

  void inside_sentence(const Rule& outer, const Sequence& sequence) {
    for (const Symbol& symbol : sequence) {
      if (symbol.kind == Symbol::Kind::text || !is_first_time(symbol)) continue;
      if (symbol.kind == Symbol::Kind::thread) {
        for (const Row& row : grammar_.threads[symbol.index].rows) inside_sentence(outer, row.fields[symbol.field]);
        continue;
      }
      const Rule& rule = grammar_.rules[symbol.index];
      if (rule.is_sentence)
        fail(outer.place, fmt::format("sentence {} stands inside sentence {}", rule.name, outer.name));
      for (const Alternative& alternative : rule.alternatives) inside_sentence(outer, alternative.sequence);
    }
  }

  /// Between sentences there is layout only, so that a story can be judged sentence by sentence. A thread may stand
  /// there with a field that gives sentences.
  void outside_sentences(Rule& rule) {
    if (rule.is_sentence) return;
    for (Alternative& alternative : rule.alternatives) outside_sentences(alternative.sequence, rule.place);
  }

  void outside_sentences(Sequence& sequence, const std::string& place) {
    for (const Symbol& symbol : sequence) {
      if (symbol.text.find_first_not_of(' ') != std::string::npos)
        fail(place, "words outside every sentence: put them under `sentence`");
      if (symbol.kind == Symbol::Kind::text || !is_first_time(symbol)) continue;
      if (symbol.kind == Symbol::Kind::rule)
        outside_sentences(grammar_.rules[symbol.index]);
      else
        for (Thread& thread = grammar_.threads[symbol.index]; Row & row : thread.rows)
          outside_sentences(row.fields[symbol.field], thread.place);
    }
    std::erase_if(sequence, [](const Symbol& symbol) { return symbol.kind == Symbol::Kind::text; });
  }

  /// Many ways may lead to one rule, or to one field; one look at it is enough.
  bool is_first_time(const Symbol& symbol) {
    size_t& within =
        symbol.kind == Symbol::Kind::rule ? within_[symbol.index] : fields_within_[{symbol.index, symbol.field}];
    return std::exchange(within, outer_ + 1) != outer_ + 1;
  }

  Grammar& grammar_;
  std::vector<Seen> rules_, threads_;
  int depth_ = 0;
  size_t outer_ = 0;            // the sentence that is looked into; after all of them, their number
  std::vector<size_t> within_;  // for each rule 1 + the last one in which it was met
  std::map<std::pair<std::uint32_t, std::uint32_t>, size_t> fields_within_;  // and for each field of a thread
};

}  // namespace

void check_grammar(Grammar& grammar) { Checker(grammar).run(); }

}  // namespace cria
