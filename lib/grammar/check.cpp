// Walks the grammar once from `story`, depth first, over rules and lists alike.
#include "lib/grammar/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "lib/base/check.hpp"

namespace cria {
namespace {

class Checker {
 public:
  Checker(Grammar& grammar, const std::string& file) : grammar_(grammar), file_(file) {
    rules_.resize(grammar.rules.size());
    threads_.resize(grammar.threads.size());
    within_.resize(grammar.rules.size(), none);
  }

  void run() {
    visit(grammar_.start, rules_, grammar_.rules[grammar_.start]);
    for (size_t i = 0; i < rules_.size(); ++i)
      if (rules_[i].state == State::unseen)
        fail(grammar_.rules[i].line, "rule " + grammar_.rules[i].name + " is never used");
    for (size_t i = 0; i < threads_.size(); ++i)
      if (threads_[i].state == State::unseen)
        fail(grammar_.threads[i].line, "list " + grammar_.threads[i].name + " is never used");
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
  static constexpr size_t none = static_cast<size_t>(-1);
  static constexpr int deepest = 100;        // the parser and others call themselves at each level
  static constexpr double longest = 100000;  // bytes of a story
  static constexpr double most_mentions = 1e6;

  [[noreturn]] void fail(size_t line, const std::string& message) const {
    throw UserError(fmt::format("{}:{}: {}", file_, line, message));
  }

  template <class Node>
  Seen visit(size_t index, std::vector<Seen>& seen, const Node& node) {
    if (seen[index].state == State::done) return seen[index];
    if (seen[index].state == State::open)
      fail(node.line, fmt::format("`{}` leads back to itself: stories could be endless", node.name));
    if (depth_ == deepest) fail(node.line, fmt::format("`{}` is more than {} rules deep", node.name, deepest));
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
      fail(node.line, fmt::format("`{}` can be longer than {} bytes, which is no little story", node.name, longest));
    if (most.mentions > most_mentions)
      fail(node.line, fmt::format("`{}` can go through more than {} rules, too many for a little story", node.name,
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
        fail(rule.line, fmt::format("every line of sentence {} must end in . ! or ?", rule.name));
      inside_sentence(rule, alternative.sequence);
    }
  }

  void inside_sentence(const Rule& outer, const Sequence& sequence) {
    for (const Symbol& symbol : sequence) {
      if (symbol.kind != Symbol::Kind::rule || !is_first_time(symbol.index)) continue;
      const Rule& rule = grammar_.rules[symbol.index];
      if (rule.is_sentence)
        fail(outer.line, fmt::format("sentence {} stands inside sentence {}", rule.name, outer.name));
      for (const Alternative& alternative : rule.alternatives) inside_sentence(outer, alternative.sequence);
    }
  }

  /// Between sentences there is layout only, so that a story can be judged sentence by sentence.
  void outside_sentences(Rule& rule) {
    if (rule.is_sentence) return;
    for (Alternative& alternative : rule.alternatives) {
      for (const Symbol& symbol : alternative.sequence) {
        if (symbol.kind == Symbol::Kind::thread || symbol.text.find_first_not_of(' ') != std::string::npos)
          fail(rule.line, "words outside every sentence: put them under `sentence`");
        if (symbol.kind == Symbol::Kind::rule && is_first_time(symbol.index))
          outside_sentences(grammar_.rules[symbol.index]);
      }
      std::erase_if(alternative.sequence, [](const Symbol& symbol) { return symbol.kind == Symbol::Kind::text; });
    }
  }

  /// Many ways may lead to one rule; one look at it is enough.
  bool is_first_time(size_t rule) { return std::exchange(within_[rule], outer_) != outer_; }

  Grammar& grammar_;
  const std::string& file_;
  std::vector<Seen> rules_, threads_;
  int depth_ = 0;
  size_t outer_ = 0;            // the sentence that is looked into; after all of them, their number
  std::vector<size_t> within_;  // for each rule the last one in which it was met
};

}  // namespace

void check_grammar(Grammar& grammar, const std::string& file) { Checker(grammar, file).run(); }

}  // namespace cria
