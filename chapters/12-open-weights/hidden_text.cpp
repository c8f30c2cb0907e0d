#include "chapters/12-open-weights/hidden_text.hpp"

#include <algorithm>
#include <charconv>

#include "lib/jinja/unicode.hpp"

namespace cria {
namespace {

// Of Unicode's noncharacters, which no text is meant to have; one that has them gets a longer mark. A mark is `begin_`,
// the number of what it hides, and the end.
constexpr std::string_view end_mark = "\uFDD1";

}  // namespace

HiddenText::HiddenText(const std::vector<std::string_view>& texts) {
  const auto is_there = [&](std::string_view text) { return text.find(begin_) != text.npos; };
  for (int i = 0; begin_.empty() || std::ranges::any_of(texts, is_there); ++i)
    begin_ = "\uFDD0" + std::to_string(i) + ".";
}

std::string HiddenText::hide(std::string_view content, const SpecialTokens& specials) {
  const std::string_view stripped = jinja::strip(content, false, true);  // as most templates do
  std::string out;
  for (size_t at = 0, size; at < content.size(); at += size) {
    size = 1;
    if (!specials.could_begin(content, at) && !(at < stripped.size() && specials.could_begin(stripped, at))) {
      out += content[at];
      continue;
    }
    size = jinja::character_at(content, at).size();
    out.append(begin_).append(std::to_string(hidden_.size())).append(end_mark);
    hidden_.emplace_back(content.substr(at, size));
  }
  return out;
}

std::string HiddenText::reveal(std::string_view text) const {
  std::string out;
  for (size_t at = 0;;) {
    const size_t mark = std::min(text.find(begin_, at), text.size());
    out += text.substr(at, mark - at);
    if (mark == text.size()) return out;
    size_t number = hidden_.size();
    const char* first = text.data() + mark + begin_.size();
    const auto [last, error] = std::from_chars(first, text.data() + text.size(), number);
    at = size_t(last - text.data());
    if (number < hidden_.size()) out += hidden_[number];
    if (text.substr(at).starts_with(end_mark)) at += end_mark.size();  // else the template has cut the mark
  }
}

}  // namespace cria
