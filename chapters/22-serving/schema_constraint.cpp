#include "chapters/22-serving/schema_constraint.hpp"

#include <mutex>
#include <unordered_map>

#include "lib/base/check.hpp"

namespace cria {

/// What all texts of a constraint share; each holds the lock while it asks.
struct SchemaConstraint::Shared {
  static constexpr size_t most_sets = 1024;  // 16 MB of a vocabulary of 128 000

  Shared(std::shared_ptr<const TokenTrie> t, const ByteGrammar& grammar) : trie(std::move(t)), automaton(grammar) {}

  const TokenSet& allowed(ByteAutomaton::State state) {
    const auto known = sets.find(state);
    if (known != sets.end()) return known->second;
    if (sets.size() == most_sets) sets.clear();
    AutomatonText text(automaton, state);
    return sets.emplace(state, trie->allowed(text)).first->second;
  }

  std::mutex mutex;
  std::shared_ptr<const TokenTrie> trie;
  ByteAutomaton automaton;
  std::unordered_map<ByteAutomaton::State, TokenSet> sets;
};

SchemaConstraint::SchemaConstraint(std::shared_ptr<const TokenTrie> trie, const ByteGrammar& grammar)
    : shared_(std::make_shared<Shared>(std::move(trie), grammar)) {}

void SchemaConstraint::mask(View<real, 1> logits) {
  const std::lock_guard lock(shared_->mutex);
  shared_->allowed(state_).mask(logits);
}

void SchemaConstraint::take(TokenId token) {
  const std::lock_guard lock(shared_->mutex);
  AutomatonText text(shared_->automaton, state_);
  for (const char byte : shared_->trie->tokenizer().piece(token))
    require(text.push(static_cast<unsigned char>(byte)), "SchemaConstraint::take", "the token is not allowed here");
  state_ = text.state();
}

bool SchemaConstraint::complete() {
  const std::lock_guard lock(shared_->mutex);
  return shared_->automaton.complete(state_);
}

}  // namespace cria
