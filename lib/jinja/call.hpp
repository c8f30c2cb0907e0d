// What a filter, test, function or method is called with, and the tables of those that there are.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/jinja/value.hpp"

namespace cria::jinja {

class Interpreter;

struct Call {
  Interpreter& interpreter;
  Budget& budget;
  std::string_view name;  // for messages
  Value subject;          // what is filtered or tested, or whose method it is
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;
  std::vector<const Value*> taken = {};

  /// Sorts the arguments by these names, for the functions below; the first `required` must be there. Throws Failure.
  void take(std::initializer_list<std::string_view> names, std::size_t required = 0);

  /// The argument of this number, or what stands for it where it is missing. Throw Failure where its type is another.
  bool has(std::size_t index) const { return taken[index] != nullptr; }
  const Value& operator[](std::size_t index) const { return *taken[index]; }
  std::int64_t integer(std::size_t index, std::int64_t otherwise) const;
  bool truth(std::size_t index, bool otherwise) const { return has(index) ? taken[index]->truth() : otherwise; }
  const std::string& text(std::size_t index) const;
  /// Nothing where it is missing or None.
  const std::string* optional_text(std::size_t index) const;

  Value make_text(std::string text) const { return Value::text(std::move(text), budget); }
  Value make_list(std::vector<Value> items) const {
    return Value::sequence(Sequence::Kind::list, std::move(items), budget);
  }
};

/// Nothing when there is none of this name.
Native find_filter(std::string_view name);
Native find_text_filter(std::string_view name);
Native find_list_filter(std::string_view name);
Native find_test(std::string_view name);
Native find_function(std::string_view name);

/// A method of this value, as a function bound to it; undefined where there is none. Throws Failure for the methods of
/// Python that are not supported.
Value find_method(const Value& object, std::string_view name);

}  // namespace cria::jinja
