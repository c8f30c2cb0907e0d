// Comparisons as Python makes them.
#include <fmt/format.h>

#include <algorithm>

#include "lib/jinja/operators.hpp"

namespace cria::jinja {
namespace {

/// True, False and both kinds of number compare as numbers. Long double holds 64-bit integers exactly on x86 and ARM.
const long double* as_number(const Value& value, long double& storage) {
  if (const bool* boolean = std::get_if<bool>(&value.data))
    storage = *boolean;
  else if (const std::int64_t* integer = value.as_integer())
    storage = static_cast<long double>(*integer);
  else if (const double* number = std::get_if<double>(&value.data))
    storage = *number;
  else
    return nullptr;
  return &storage;
}

}  // namespace

bool equal(const Value& left, const Value& right, Budget& budget) {
  budget.step();
  long double a, b;
  if (as_number(left, a)) return as_number(right, b) && a == b;
  if (left.data.index() != right.data.index()) return false;
  if (left.is_undefined() || left.is_none()) return true;
  if (const std::string* text = left.as_text()) {
    budget.read(std::min(text->size(), right.as_text()->size()));
    return *text == *right.as_text();
  }
  if (const Sequence* one = left.as_sequence()) {
    const Sequence* other = right.as_sequence();
    if (one == other) return true;
    return one->kind == other->kind && one->kind != Sequence::Kind::iterator &&
           std::ranges::equal(one->items, other->items,
                              [&](const Value& x, const Value& y) { return equal(x, y, budget); });
  }
  if (const Dict* one = left.as_dict()) {
    const Dict* other = right.as_dict();
    if (one == other) return true;
    return one->entries.size() == other->entries.size() && std::ranges::all_of(one->entries, [&](const auto& entry) {
             const Value* value = find(*other, entry.first, budget);
             return value && equal(entry.second, *value, budget);
           });
  }
  return std::visit(  // the same namespace, macro or loop
      [&right]<class T>(const T& one) {
        if constexpr (std::is_pointer_v<T>) return one == std::get<T>(right.data);
        return false;
      },
      left.data);
}

bool less(const Value& left, const Value& right, Budget& budget) {
  budget.step();
  long double a, b;
  if (as_number(left, a) && as_number(right, b)) return a < b;
  if (left.is_undefined()) fail_undefined(left);
  if (right.is_undefined()) fail_undefined(right);
  if (left.as_text() && right.as_text()) {
    budget.read(std::min(left.as_text()->size(), right.as_text()->size()));
    return *left.as_text() < *right.as_text();  // the bytes of UTF-8 are in the order of code points
  }
  const Sequence* one = left.as_sequence();
  const Sequence* other = right.as_sequence();
  if (!one || !other || one->kind != other->kind || one->kind > Sequence::Kind::tuple)
    throw Failure(
        fmt::format("'<' not supported between instances of '{}' and '{}'", type_name(left), type_name(right)));
  for (std::size_t i = 0; i < std::min(one->items.size(), other->items.size()); ++i)
    if (!equal(one->items[i], other->items[i], budget)) return less(one->items[i], other->items[i], budget);
  return one->items.size() < other->items.size();
}

bool contains(const Value& container, const Value& item, Budget& budget) {
  if (const std::string* text = container.as_text()) {
    const std::string* part = item.as_text();
    if (!part) throw Failure(fmt::format("'in <string>' requires string as left operand, not {}", type_name(item)));
    budget.search(text->size(), part->size());
    return text->find(*part) != text->npos;
  }
  if (const Dict* dict = container.as_dict()) {
    require_hashable(item);
    return find(*dict, item, budget) != nullptr;
  }
  if (!container.is_undefined() && !container.as_sequence())
    throw Failure(fmt::format("argument of type '{}' is not iterable", type_name(container)));
  return std::ranges::any_of(iterate(container, budget)->items,
                             [&](const Value& each) { return equal(each, item, budget); });
}

const Value* find(const Dict& dict, const Value& key, Budget& budget) {
  if (const std::string* text = key.as_text()) return find(dict, *text, budget);
  for (const auto& [name, value] : dict.entries)
    if (equal(name, key, budget)) return &value;
  return nullptr;
}

const Value* find(const Dict& dict, std::string_view key, Budget& budget) {
  budget.step(dict.entries.size() / 8);
  for (const auto& [name, value] : dict.entries)
    if (const std::string* text = name.as_text(); text && *text == key) return &value;
  return nullptr;
}

void require_hashable(const Value& key) {
  const Sequence* sequence = key.as_sequence();
  if (key.as_dict() || (sequence && sequence->kind == Sequence::Kind::list))
    throw Failure(fmt::format("unhashable type: '{}'", type_name(key)));
  if (sequence && sequence->kind == Sequence::Kind::tuple)
    for (const Value& item : sequence->items) require_hashable(item);
}

void insert(std::vector<std::pair<Value, Value>>& entries, Value key, Value value, Budget& budget) {
  require_hashable(key);
  const auto there = std::ranges::find_if(entries, [&](const auto& entry) { return equal(entry.first, key, budget); });
  if (there != entries.end())
    there->second = std::move(value);
  else
    entries.emplace_back(std::move(key), std::move(value));
}

bool compare(Operator operation, const Value& left, const Value& right, Budget& budget) {
  switch (operation) {
    case Operator::equal:
      return equal(left, right, budget);
    case Operator::unequal:
      return !equal(left, right, budget);
    case Operator::less:
      return less(left, right, budget);
    case Operator::less_equal:
      return less(left, right, budget) || equal(left, right, budget);
    case Operator::greater:
      return less(right, left, budget);
    case Operator::greater_equal:
      return less(right, left, budget) || equal(left, right, budget);
    case Operator::in:
      return contains(right, left, budget);
    default:
      return !contains(right, left, budget);
  }
}

}  // namespace cria::jinja
