// Finding special tokens such as <|end_of_text|> in a text.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/check.hpp"

namespace cria {

class SpecialTokens {
 public:
  SpecialTokens() = default;
  /// Throws UserError for an empty token, which would be found everywhere and lead nowhere.
  explicit SpecialTokens(std::vector<std::string> tokens) : tokens_(std::move(tokens)) {
    for (const std::string& token : tokens_)
      if (token.empty()) throw UserError("a special token must not be empty");
    // The longest first: of two tokens that begin at the same place, the longer one is meant.
    std::stable_sort(tokens_.begin(), tokens_.end(), [](auto& a, auto& b) { return a.size() > b.size(); });
    for (const std::string& token : tokens_) begins_[static_cast<unsigned char>(token[0])] = true;
  }

  std::size_t longest() const { return tokens_.empty() ? 0 : tokens_[0].size(); }

  /// Calls plain(text) and special(token) for the parts of the text in order; a plain part is never empty.
  template <class Plain, class Special>
  void for_each_part(std::string_view text, Plain plain, Special special) const {
    std::size_t begin = 0;  // of the plain part
    for (std::size_t at = 0; at < text.size() && !tokens_.empty();) {
      const std::string* token = find_at(text, at);
      if (!token) {
        ++at;
        continue;
      }
      if (at > begin) plain(text.substr(begin, at - begin));
      special(std::string_view(*token));
      begin = at += token->size();
    }
    if (begin < text.size()) plain(text.substr(begin));
  }

  /// Whether a special token begins at `at`, or could if the text went on.
  bool could_begin(std::string_view text, std::size_t at) const {
    if (!begins_[static_cast<unsigned char>(text[at])]) return false;
    const std::string_view rest = text.substr(at);
    return std::ranges::any_of(
        tokens_, [&](const std::string& token) { return rest.starts_with(token) || token.starts_with(rest); });
  }

  /// Whether a special token begins before `at` and ends behind it.
  bool any_across(std::string_view text, std::size_t at) const {
    for (std::size_t begin = at - std::min(at, longest()); begin < at; ++begin)
      if (const std::string* token = find_at(text, begin); token && begin + token->size() > at) return true;
    return false;
  }

 private:
  const std::string* find_at(std::string_view text, std::size_t at) const {
    if (!begins_[static_cast<unsigned char>(text[at])]) return nullptr;
    for (const std::string& token : tokens_)
      if (text.compare(at, token.size(), token) == 0) return &token;
    return nullptr;
  }

  std::vector<std::string> tokens_;
  std::array<bool, 256> begins_{};
};

}  // namespace cria
