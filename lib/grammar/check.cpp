// Walks the grammar once from `story`, depth first, over rules and lists alike.
#include "lib/grammar/check.hpp"

#include <fmt/format.h>

#include "lib/base/check.hpp"

namespace cria {
namespace {

class Checker {
 public:
  Checker(Grammar& grammar, const std::string& file) : grammar_(grammar), file_(file) {
    rules_.resize(grammar.rules.size());
    threads_.resize(grammar.threads.size());
  }

  void run() {
    visit(grammar_.start, rules_, grammar_.rules[grammar_.start]);
    for (size_t i = 0; i < rules_.size(); ++i)
      if (rules_[i] == State::unseen) fail(grammar_.rules[i].line, "rule " + grammar_.rules[i].name + " is never used");
    for (size_t i = 0; i < threads_.size(); ++i)
      if (threads_[i] == State::unseen)
        fail(grammar_.threads[i].line, "list " + grammar_.threads[i].name + " is never used");
    for (const Rule& rule : grammar_.rules)
      if (rule.is_sentence) check_sentence(rule);
    outside_sentences(grammar_.rules[grammar_.start]);
  }

 private:
  enum class State { unseen, open, done };

  [[noreturn]] void fail(size_t line, const std::string& message) const {
    throw UserError(fmt::format("{}:{}: {}", file_, line, message));
  }

  template <class Node>
  void visit(size_t index, std::vector<State>& states, const Node& node) {
    if (states[index] == State::done) return;
    if (states[index] == State::open)
      fail(node.line, fmt::format("`{}` leads back to itself: stories could be endless", node.name));
    states[index] = State::open;
    if constexpr (std::is_same_v<Node, Rule>) {
      for (const Alternative& alternative : node.alternatives) visit(alternative.sequence);
    } else {
      for (const Row& row : node.rows)
        for (const Sequence& field : row.fields) visit(field);
    }
    states[index] = State::done;
  }

  void visit(const Sequence& sequence) {
    for (const Symbol& symbol : sequence) {
      if (symbol.kind == Symbol::Kind::rule) visit(symbol.index, rules_, grammar_.rules[symbol.index]);
      if (symbol.kind == Symbol::Kind::thread) visit(symbol.index, threads_, grammar_.threads[symbol.index]);
    }
  }

  void check_sentence(const Rule& rule) const {
    for (const Alternative& alternative : rule.alternatives) {
      std::string_view end = alternative.sequence.empty() ? "" : std::string_view(alternative.sequence.back().text);
      if (end.ends_with('"')) end.remove_suffix(1);
      if (end.empty() || std::string_view(".!?").find(end.back()) == std::string_view::npos)
        fail(rule.line, fmt::format("every line of sentence {} must end in . ! or ?", rule.name));
      inside_sentence(rule, alternative.sequence);
    }
  }

  void inside_sentence(const Rule& outer, const Sequence& sequence) const {
    for (const Symbol& symbol : sequence) {
      if (symbol.kind != Symbol::Kind::rule) continue;
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
        if (symbol.kind == Symbol::Kind::rule) outside_sentences(grammar_.rules[symbol.index]);
      }
      std::erase_if(alternative.sequence, [](const Symbol& symbol) { return symbol.kind == Symbol::Kind::text; });
    }
  }

  Grammar& grammar_;
  const std::string& file_;
  std::vector<State> rules_, threads_;
};

}  // namespace

void check_grammar(Grammar& grammar, const std::string& file) { Checker(grammar, file).run(); }

}  // namespace cria
