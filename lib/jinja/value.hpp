// The values that templates compute with: Python's, as far as chat templates need them.
//
// Values are immutable and shared, as in Jinja's immutable sandbox; only namespaces change. What belongs to one render
// (namespaces, macros, loops) is owned by its interpreter and pointed to here, so values can form no cycles.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "lib/jinja/budget.hpp"

namespace cria::jinja {

struct Value;
struct Namespace;
struct Macro;
class Loop;
struct Call;

/// A filter, a test, a function or a method, on call.subject where it has one.
using Native = Value (*)(Call& call);

struct Undefined {
  std::shared_ptr<const std::string> why;  // what using it says
};
struct None {};
using Text = std::shared_ptr<const std::string>;

/// All that has items in an order. An iterator (of Python's generators) gives them once.
struct Sequence {
  enum class Kind : std::uint8_t { list, tuple, range, keys, values, items, iterator };
  Kind kind = Kind::list;
  std::vector<Value> items;
  std::size_t depth = 1;
  mutable bool used = false;  // an iterator that has given all
};

struct Dict {
  std::vector<std::pair<Value, Value>> entries;  // in the order of insertion
  std::size_t depth = 1;
};

struct Function {
  std::string_view name;
  Native native = nullptr;
  std::shared_ptr<const Value> self;  // of a method
};

struct Value {
  std::variant<Undefined, None, bool, std::int64_t, double, Text, std::shared_ptr<const Sequence>,
               std::shared_ptr<const Dict>, Function, Namespace*, const Macro*, Loop*>
      data;

  static Value undefined(std::string why) { return {Undefined{std::make_shared<const std::string>(std::move(why))}}; }
  static Value none() { return {None{}}; }
  static Value boolean(bool truth) { return {truth}; }
  static Value integer(std::int64_t number) { return {number}; }
  /// Charged to the budget.
  static Value text(std::string text, Budget& budget);
  static Value sequence(Sequence::Kind kind, std::vector<Value> items, Budget& budget);
  static Value dict(std::vector<std::pair<Value, Value>> entries, Budget& budget);

  bool is_undefined() const { return std::holds_alternative<Undefined>(data); }
  bool is_none() const { return std::holds_alternative<None>(data); }
  /// Nothing where it is of another type.
  const std::string* as_text() const;
  const Sequence* as_sequence() const;
  const Dict* as_dict() const;
  const std::int64_t* as_integer() const { return std::get_if<std::int64_t>(&data); }
  bool is_list_like() const;  // a list, a tuple or a range: what can be indexed

  /// Python's truth of a value.
  bool truth() const;
  /// 0 but for lists and dicts.
  std::size_t depth() const;
};

/// Python's name of the type, e.g. "NoneType".
std::string_view type_name(const Value& value);

/// Throws Failure with what the undefined value says.
[[noreturn]] void fail_undefined(const Value& value);

/// What a for loop runs over: items, keys, characters; nothing of an undefined value. Throws Failure for others.
std::shared_ptr<const Sequence> iterate(const Value& value, Budget& budget);

/// Python's == and <, `item in container`.
bool equal(const Value& left, const Value& right, Budget& budget);
bool less(const Value& left, const Value& right, Budget& budget);
bool contains(const Value& container, const Value& item, Budget& budget);
/// The value of this key; nothing when there is none.
const Value* find(const Dict& dict, const Value& key, Budget& budget);
const Value* find(const Dict& dict, std::string_view key, Budget& budget);

/// Throws Failure for a list or dict, which can be no key.
void require_hashable(const Value& key);
/// A key that comes again keeps its first place and has its last value.
void insert(std::vector<std::pair<Value, Value>>& entries, Value key, Value value, Budget& budget);

/// Of JSON numbers above 2^63 - 1, and of nesting beyond the limit, throws Failure.
Value from_json(const nlohmann::ordered_json& json, std::size_t depth = 0);

}  // namespace cria::jinja
