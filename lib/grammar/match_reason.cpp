// What a text that fits nowhere was expected to go on with.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "lib/grammar/lines.hpp"
#include "lib/grammar/match.hpp"

namespace cria {
namespace {

constexpr size_t most_expected = 4;  // that are shown

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

}  // namespace

Mismatch Matcher::mismatch() const {
  const size_t shown = std::min(expected_.size(), most_expected);
  return {furthest_, fmt::format("{}{}", fmt::join(expected_.begin(), expected_.begin() + shown, " or "),
                                 shown < expected_.size() ? " or …" : "")};
}

/// Remembers what was expected at the furthest word that fits nowhere. Whole words count: that Mia and Milo begin
/// alike does not make one a better guess for the other. The literal was `same` as the text from `begin` on.
void Matcher::note(size_t begin, size_t same, std::string_view literal, const Symbol* recalled) {
  size_t position = begin + same;
  while (position > 0 && position <= text_.size() && is_letter(text_[position - 1])) --position;
  if (position < furthest_) return;
  if (position > furthest_) expected_.clear();
  furthest_ = position;
  std::string text(trim(literal.substr(position > begin ? position - begin : 0)));
  if (text.empty()) text = "a space";
  if (recalled) {
    const Thread& thread = grammar_.threads[recalled->index];
    text += fmt::format(" ({}.{}, drawn before)", thread.name, thread.fields[recalled->field]);
  }
  if (std::ranges::find(expected_, text) != expected_.end()) return;
  expected_.insert(recalled ? expected_.begin() : expected_.end(), std::move(text));  // what tells most comes first
  if (expected_.size() > most_expected + 1) expected_.pop_back();  // one more tells that there are more
}

}  // namespace cria
