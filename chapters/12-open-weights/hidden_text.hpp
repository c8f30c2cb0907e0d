// Hidden text: parts that no template and no tokenizer may take for more than text.
//
// A chat template writes special tokens such as <|eot_id|> as text, between contents that a user has typed. Who types
// the same characters must not end a turn, or speak as the system. So before a template sees a content, the first
// character of whatever could be read as a special token in it is replaced by a mark; once the special tokens of the
// rendered text are cut out, the characters are put back.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "chapters/01-bpe/special_tokens.hpp"

namespace cria {

class HiddenText {
 public:
  /// The marks stand in none of these texts: the template's, and every content's.
  explicit HiddenText(const std::vector<std::string_view>& texts);

  /// The content with marks where a special token begins, or may begin with what the template puts behind it. Most
  /// contents have none and stay as they are, so that a template may look into them.
  std::string hide(std::string_view content, const SpecialTokens& specials);

  /// Stands where a text of its own begins, which is encoded by itself; no template finds it in a content.
  std::string cut() const { return begin_ + "/"; }

  /// Any part of the rendered text with the characters in place of their marks.
  std::string reveal(std::string_view text) const;

 private:
  std::string begin_;
  std::vector<std::string> hidden_;
};

}  // namespace cria
