// StoryConstraint: the text is a story of a grammar, with all its threads kept.
#pragma once

#include <memory>
#include <string_view>

#include "chapters/09-sampling/token_constraint.hpp"
#include "chapters/22-serving/story_text.hpp"
#include "chapters/22-serving/token_trie.hpp"

namespace cria {

class StoryConstraint : public TokenConstraint {
 public:
  /// `beginning` stands before the text, as a prompt does. Throws UserError where no story begins so. The grammar must
  /// outlive the constraint.
  StoryConstraint(std::shared_ptr<const TokenTrie> trie, const Grammar& grammar, std::string_view beginning = "");

  std::unique_ptr<TokenConstraint> clone() const override { return std::make_unique<StoryConstraint>(*this); }
  void mask(View<real, 1> logits) override { trie_->allowed(story_).mask(logits); }
  void take(TokenId token) override;
  bool complete() override { return story_.complete(); }

 private:
  std::shared_ptr<const TokenTrie> trie_;
  StoryText story_;
};

}  // namespace cria
