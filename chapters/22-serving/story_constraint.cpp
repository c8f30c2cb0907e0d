#include "chapters/22-serving/story_constraint.hpp"

#include "lib/base/check.hpp"

namespace cria {

StoryConstraint::StoryConstraint(std::shared_ptr<const TokenTrie> trie, const Grammar& grammar,
                                 std::string_view beginning)
    : trie_(std::move(trie)), story_(grammar) {
  for (size_t i = 0; i < beginning.size(); ++i)
    if (!story_.push(static_cast<unsigned char>(beginning[i])))
      throw UserError("no story of the grammar begins like the prompt, which leaves it at byte " + std::to_string(i) +
                      ", at " + in_quotes(beginning.substr(i)));
  if (story_.complete()) throw UserError("the prompt is a whole story of the grammar, and nothing can follow");
  story_.keep();
}

void StoryConstraint::take(TokenId token) {
  for (const char byte : trie_->tokenizer().piece(token))
    require(story_.push(static_cast<unsigned char>(byte)), "StoryConstraint::take", "the token is not allowed here");
  story_.keep();
}

}  // namespace cria
