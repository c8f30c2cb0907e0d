// Attributes, items and slices, found as Jinja's sandbox finds them in Python's objects.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "lib/jinja/interpreter.hpp"
#include "lib/jinja/print.hpp"
#include "lib/jinja/unicode.hpp"

namespace cria::jinja {
namespace {

Value missing(const Value& object, const std::string& what) {
  return Value::undefined(object.is_none() ? fmt::format("None has no {}", what)
                                           : fmt::format("'{} object' has no {}", type_name(object), what));
}

std::string_view shortened(std::string_view name) { return name.substr(0, 60); }

/// A whole number where one may stand; nothing where none stands. True is 1.
std::optional<std::int64_t> whole(const Value& value) {
  if (const bool* boolean = std::get_if<bool>(&value.data)) return *boolean;
  if (const std::int64_t* integer = value.as_integer()) return *integer;
  if (value.is_undefined() || value.is_none()) return std::nullopt;
  throw Failure(fmt::format("slice indices must be integers or None, not {}", type_name(value)));
}

/// Where the character of this number begins; the end of the text where there are fewer.
std::size_t byte_of(std::string_view text, std::int64_t character) {
  std::size_t at = 0;
  for (; character > 0 && at < text.size(); --character) at += character_at(text, at).size();
  return at;
}

/// What a slice selects of `length` items: those from `first` on, by `step`, before `last`.
struct Selection {
  std::int64_t first, last, step;

  template <class Take>
  void each(Take take) const {
    for (std::int64_t i = first; step > 0 ? i < last : i > last; i += step) take(static_cast<std::size_t>(i));
  }
};

Selection select(std::int64_t length, const Value& start, const Value& stop, const Value& step) {
  const std::int64_t by = whole(step).value_or(1);
  if (by == 0) throw Failure("slice step cannot be zero");
  const auto bound = [&](const Value& value, std::int64_t otherwise) {
    const auto given = whole(value);
    if (!given) return otherwise;
    const std::int64_t at = *given < 0 ? std::max(*given, -length - 1) + length : *given;
    return by > 0 ? std::clamp<std::int64_t>(at, 0, length) : std::clamp<std::int64_t>(at, -1, length - 1);
  };
  return {bound(start, by > 0 ? 0 : length - 1), bound(stop, by > 0 ? length : -1),
          std::clamp(by, -length - 1, length + 1)};  // a larger step ends as soon, and would overflow
}

Value slice_of_text(const std::string& text, const Value& start, const Value& stop, const Value& step, Budget& budget) {
  budget.read(4 * text.size());
  const Selection chosen = select(static_cast<std::int64_t>(count_characters(text)), start, stop, step);
  if (chosen.step == 1) {
    const std::size_t from = byte_of(text, chosen.first);
    const std::size_t to = chosen.last > chosen.first ? byte_of(text, chosen.last) : from;
    return Value::text(text.substr(from, to - from), budget);
  }
  std::vector<std::string_view> characters;
  budget.make(text.size() * sizeof(std::string_view));
  for (std::size_t at = 0; at < text.size(); at += characters.back().size())
    characters.push_back(character_at(text, at));
  std::string result;
  chosen.each([&](std::size_t i) { result += characters[i]; });
  return Value::text(std::move(result), budget);
}

}  // namespace

/// Methods win over the keys of a dict, as in Python's getattr.
Value attribute(const Value& object, std::string_view name, Budget& budget) {
  if (object.is_undefined()) fail_undefined(object);
  if (Value method = find_method(object, name); !method.is_undefined() || std::get<Undefined>(method.data).why)
    return method;
  if (const Dict* dict = object.as_dict())
    if (const Value* value = find(*dict, name, budget)) return *value;
  if (Namespace* const* space = std::get_if<Namespace*>(&object.data))
    if (const auto found = (*space)->attributes.find(name); found != (*space)->attributes.end()) return found->second;
  if (Loop* const* loop = std::get_if<Loop*>(&object.data)) return (*loop)->attribute(name, budget);
  return missing(object, fmt::format("attribute '{}'", shortened(name)));
}

/// Keys win over methods.
Value item(const Value& object, const Value& key, Budget& budget) {
  if (object.is_undefined()) fail_undefined(object);
  if (const Dict* dict = object.as_dict())
    if (const Value* value = find(*dict, key, budget)) return *value;
  if (const std::string* name = key.as_text()) return attribute(object, *name, budget);
  const bool is_index = key.as_integer() || std::holds_alternative<bool>(key.data);
  if (is_index && (object.is_list_like() || object.as_text())) {
    std::int64_t index = *whole(key);
    if (const std::string* text = object.as_text()) {
      budget.read(4 * text->size());
      const auto length = static_cast<std::int64_t>(count_characters(*text));
      if (index < 0) index += length;
      if (index >= 0 && index < length)
        return Value::text(std::string(character_at(*text, byte_of(*text, index))), budget);
    } else {
      const auto& items = object.as_sequence()->items;
      if (index < 0) index += static_cast<std::int64_t>(items.size());
      if (index >= 0 && index < static_cast<std::int64_t>(items.size())) return items[static_cast<std::size_t>(index)];
    }
  }
  std::string shown;
  represent(key, shown, budget);
  return missing(object, fmt::format("element {}", shortened(shown)));
}

Value slice(const Value& object, const Value& start, const Value& stop, const Value& step, Budget& budget) {
  if (object.is_undefined()) fail_undefined(object);
  if (const std::string* text = object.as_text()) return slice_of_text(*text, start, stop, step, budget);
  if (!object.is_list_like()) throw Failure(fmt::format("'{}' object cannot be sliced", type_name(object)));
  const auto& items = object.as_sequence()->items;
  std::vector<Value> chosen;
  select(static_cast<std::int64_t>(items.size()), start, stop, step).each([&](std::size_t i) {
    chosen.push_back(items[i]);
  });
  return Value::sequence(object.as_sequence()->kind, std::move(chosen), budget);
}

Value find_attribute(Value object, const Value& name, Budget& budget) {
  const std::string* path = name.as_text();
  if (!path) return item(object, name, budget);
  for (std::size_t at = 0; at <= path->size();) {
    const std::size_t dot = std::min(path->find('.', at), path->size());
    const std::string part = path->substr(at, dot - at);
    std::int64_t index = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), index);
    const bool is_index = error == std::errc() && end == part.data() + part.size() && part[0] != '-';
    object = item(object, is_index ? Value::integer(index) : Value::text(part, budget), budget);
    at = dot + 1;
  }
  return object;
}

}  // namespace cria::jinja
