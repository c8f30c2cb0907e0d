#include "lib/jinja/value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "lib/jinja/unicode.hpp"

namespace cria::jinja {
namespace {

std::size_t checked_depth(std::size_t inside) {
  if (inside >= deepest_value) throw Failure(fmt::format("values are nested more than {} deep", deepest_value));
  return inside + 1;
}

Value sequence_of(Sequence::Kind kind, std::vector<Value> items) {
  auto sequence = std::make_shared<Sequence>();
  std::size_t depth = 0;
  for (const Value& item : items) depth = std::max(depth, item.depth());
  *sequence = {kind, std::move(items), checked_depth(depth)};
  return {std::shared_ptr<const Sequence>(std::move(sequence))};
}

Value dict_of(std::vector<std::pair<Value, Value>> entries) {
  auto dict = std::make_shared<Dict>();
  std::size_t depth = 0;
  for (const auto& [key, value] : entries) depth = std::max({depth, key.depth(), value.depth()});
  *dict = {std::move(entries), checked_depth(depth)};
  return {std::shared_ptr<const Dict>(std::move(dict))};
}

}  // namespace

Value Value::text(std::string text, Budget& budget) {
  budget.make_text(text.size());
  return {std::make_shared<const std::string>(std::move(text))};
}

Value Value::sequence(Sequence::Kind kind, std::vector<Value> items, Budget& budget) {
  budget.make(items.size() * sizeof(Value));
  return sequence_of(kind, std::move(items));
}

Value Value::dict(std::vector<std::pair<Value, Value>> entries, Budget& budget) {
  budget.make(entries.size() * 2 * sizeof(Value));
  return dict_of(std::move(entries));
}

const std::string* Value::as_text() const {
  const Text* text = std::get_if<Text>(&data);
  return text ? text->get() : nullptr;
}

const Sequence* Value::as_sequence() const {
  const auto* sequence = std::get_if<std::shared_ptr<const Sequence>>(&data);
  return sequence ? sequence->get() : nullptr;
}

const Dict* Value::as_dict() const {
  const auto* dict = std::get_if<std::shared_ptr<const Dict>>(&data);
  return dict ? dict->get() : nullptr;
}

bool Value::is_list_like() const {
  const Sequence* sequence = as_sequence();
  return sequence && sequence->kind <= Sequence::Kind::range;
}

bool Value::truth() const {
  if (is_undefined() || is_none()) return false;
  if (const bool* boolean = std::get_if<bool>(&data)) return *boolean;
  if (const auto* integer = as_integer()) return *integer != 0;
  if (const double* number = std::get_if<double>(&data)) return *number != 0;
  if (const std::string* text = as_text()) return !text->empty();
  if (const Sequence* sequence = as_sequence())
    return sequence->kind == Sequence::Kind::iterator || !sequence->items.empty();
  if (const Dict* dict = as_dict()) return !dict->entries.empty();
  return true;
}

std::size_t Value::depth() const {
  if (const Sequence* sequence = as_sequence()) return sequence->depth;
  if (const Dict* dict = as_dict()) return dict->depth;
  const Function* function = std::get_if<Function>(&data);
  return function && function->self ? function->self->depth() : 0;
}

std::string_view type_name(const Value& value) {
  if (const Sequence* sequence = value.as_sequence()) {
    static constexpr std::string_view kinds[] = {"list",        "tuple",      "range",    "dict_keys",
                                                 "dict_values", "dict_items", "generator"};
    return kinds[static_cast<std::size_t>(sequence->kind)];
  }
  static constexpr std::string_view types[] = {"Undefined", "NoneType",  "bool",  "int",
                                               "float",     "str",       "list",  "dict",
                                               "function",  "Namespace", "Macro", "LoopContext"};
  return types[value.data.index()];
}

void fail_undefined(const Value& value) {
  const Undefined* undefined = std::get_if<Undefined>(&value.data);
  throw Failure(undefined && undefined->why ? *undefined->why : "the value is undefined");
}

std::shared_ptr<const Sequence> iterate(const Value& value, Budget& budget) {
  using Kind = Sequence::Kind;
  static const auto nothing = std::make_shared<const Sequence>();
  if (const auto* sequence = std::get_if<std::shared_ptr<const Sequence>>(&value.data)) {
    if ((*sequence)->kind != Kind::iterator) return *sequence;
    return std::exchange((*sequence)->used, true) ? nothing : *sequence;
  }
  if (value.is_undefined()) return nothing;
  std::vector<Value> items;
  if (const Dict* dict = value.as_dict()) {
    for (const auto& [key, entry] : dict->entries) items.push_back(key);
  } else if (const std::string* text = value.as_text()) {
    budget.make(2 * sizeof(Value) * text->size());  // before the characters are made
    for (std::size_t at = 0; at < text->size(); at += items.back().as_text()->size())
      items.push_back(Value::text(std::string(character_at(*text, at)), budget));
  } else {
    throw Failure(fmt::format("'{}' object is not iterable", type_name(value)));
  }
  return std::get<std::shared_ptr<const Sequence>>(Value::sequence(Kind::list, std::move(items), budget).data);
}

Value from_json(const nlohmann::ordered_json& json, std::size_t depth) {
  if (depth >= deepest_value) throw Failure(fmt::format("the variables are nested more than {} deep", deepest_value));
  switch (json.type()) {
    case nlohmann::ordered_json::value_t::boolean:
      return {json.get<bool>()};
    case nlohmann::ordered_json::value_t::number_integer:
      return {json.get<std::int64_t>()};
    case nlohmann::ordered_json::value_t::number_unsigned: {
      const auto number = json.get<std::uint64_t>();
      if (number > std::uint64_t{std::numeric_limits<std::int64_t>::max()})
        throw Failure(fmt::format("the variables have a number beyond 64 bits, {}", number));
      return {static_cast<std::int64_t>(number)};
    }
    case nlohmann::ordered_json::value_t::number_float:
      return {json.get<double>()};
    case nlohmann::ordered_json::value_t::string:
      return {std::make_shared<const std::string>(json.get_ref<const std::string&>())};
    case nlohmann::ordered_json::value_t::array: {
      std::vector<Value> items;
      for (const auto& item : json) items.push_back(from_json(item, depth + 1));
      return sequence_of(Sequence::Kind::list, std::move(items));
    }
    case nlohmann::ordered_json::value_t::object: {
      std::vector<std::pair<Value, Value>> entries;
      for (const auto& [key, value] : json.items())
        entries.emplace_back(Value{std::make_shared<const std::string>(key)}, from_json(value, depth + 1));
      return dict_of(std::move(entries));
    }
    default:
      return Value::none();
  }
}

}  // namespace cria::jinja
