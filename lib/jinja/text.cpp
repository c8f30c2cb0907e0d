#include "lib/jinja/text.hpp"

#include <algorithm>
#include <limits>

#include "lib/jinja/unicode.hpp"

namespace cria::jinja {

std::string strip_text(const std::string& text, bool left, bool right, const std::string* set, Budget& budget) {
  if (set) budget.search(text.size(), set->size());
  const std::string_view result = strip(text, left, right, set);
  budget.read(4 * (text.size() - result.size()));
  return std::string(result);
}

std::vector<Value> split_text(const std::string& text, const std::string* separator, std::int64_t most, bool from_right,
                              Budget& budget) {
  std::vector<Value> parts;
  const auto limit = most < 0 ? std::numeric_limits<std::size_t>::max() : static_cast<std::size_t>(most);
  const auto add = [&](std::string_view part) {
    budget.make(2 * sizeof(Value));
    parts.push_back(Value::text(std::string(part), budget));
  };
  std::string_view rest = text;
  if (!separator) {
    if (from_right && most >= 0) throw Failure("rsplit at white space with maxsplit is not supported");
    budget.read(4 * text.size());
    for (rest = strip(rest, true, false); !rest.empty(); rest = strip(rest, true, false)) {
      std::size_t length = parts.size() == limit ? rest.size() : 0;
      while (length < rest.size() && !is_space(code_point_of(character_at(rest, length))))
        length += character_at(rest, length).size();
      add(rest.substr(0, length));
      rest.remove_prefix(length);
    }
    return parts;
  }
  if (separator->empty()) throw Failure("empty separator");
  budget.search(text.size(), separator->size());
  while (parts.size() < limit) {
    const std::size_t at = from_right ? rest.rfind(*separator) : rest.find(*separator);
    if (at == rest.npos) break;
    const std::size_t after = at + separator->size();
    add(from_right ? rest.substr(after) : rest.substr(0, at));
    rest = from_right ? rest.substr(0, at) : rest.substr(after);
  }
  add(rest);
  if (from_right) std::ranges::reverse(parts);
  return parts;
}

std::vector<std::string_view> split_lines(std::string_view text, Budget& budget) {
  budget.read(4 * text.size());
  const auto ends_line = [](std::uint32_t c) {
    return (c >= 10 && c <= 13) || (c >= 28 && c <= 30) || c == 0x85 || c == 0x2028 || c == 0x2029;
  };
  std::vector<std::string_view> lines;
  for (std::size_t start = 0; start < text.size();) {
    std::size_t end = start;
    while (end < text.size() && !ends_line(code_point_of(character_at(text, end))))
      end += character_at(text, end).size();
    lines.push_back(text.substr(start, end - start));
    budget.make(sizeof(Value));
    if (end < text.size()) end += text.substr(end).starts_with("\r\n") ? 2 : character_at(text, end).size();
    start = end;
  }
  return lines;
}

std::string replace_text(const std::string& text, const std::string& old, const std::string& with, std::int64_t most,
                         Budget& budget) {
  std::string result;
  budget.search(text.size(), std::max<std::size_t>(old.size(), 1));
  std::size_t from = 0;  // what is not copied yet
  for (std::size_t at = 0; most != 0 && at <= text.size(); --most) {
    at = text.find(old, at);
    if (at == text.npos) break;
    budget.make_text(result.size() + with.size() > longest_text ? longest_text + 1 : with.size());
    result.append(text, from, at - from) += with;
    from = at + old.size();
    if (old.empty() && at < text.size()) {  // between all characters
      const std::string_view character = character_at(text, at);
      result += character;
      from = at + character.size();
    }
    at = old.empty() ? std::max(from, at + 1) : from;
  }
  if (from < text.size()) result.append(text, from);
  return result;
}

}  // namespace cria::jinja
