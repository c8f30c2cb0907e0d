// SchemaConstraint: the text is JSON that fits a schema (json_schema.hpp), or whatever a ByteGrammar says.
//
// What is allowed depends on the automaton's state alone, so it is found once for each state that a text comes to, and
// kept for all texts of the same constraint.
#pragma once

#include <memory>

#include "chapters/09-sampling/token_constraint.hpp"
#include "chapters/22-serving/byte_automaton.hpp"
#include "chapters/22-serving/token_trie.hpp"

namespace cria {

class SchemaConstraint : public TokenConstraint {
 public:
  SchemaConstraint(std::shared_ptr<const TokenTrie> trie, const ByteGrammar& grammar);

  std::unique_ptr<TokenConstraint> clone() const override { return std::make_unique<SchemaConstraint>(*this); }
  void mask(View<real, 1> logits) override;
  void take(TokenId token) override;
  bool complete() override;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
  ByteAutomaton::State state_ = 0;
};

}  // namespace cria
