// What expressions do with values.
#pragma once

#include <cstdint>
#include <string_view>

#include "lib/jinja/value.hpp"

namespace cria::jinja {

enum class Operator : std::uint8_t {
  add,
  subtract,
  multiply,
  divide,
  floor_divide,
  modulo,
  equal,
  unequal,
  less,
  less_equal,
  greater,
  greater_equal,
  in,
  not_in
};

/// As Python computes; numbers beyond 64 bits, and formatting with %, throw Failure, and so do wrong types.
Value arithmetic(Operator operation, const Value& left, const Value& right, Budget& budget);
Value negative(const Value& value);
bool compare(Operator operation, const Value& left, const Value& right, Budget& budget);

/// object.name, object[key] and object[start:stop:step], where undefined stands for what is left out. What is not there
/// is undefined.
Value attribute(const Value& object, std::string_view name, Budget& budget);
Value item(const Value& object, const Value& key, Budget& budget);
/// What a name of a filter's attribute finds: an index, or a path such as "function.name" or "0.x".
Value find_attribute(Value object, const Value& name, Budget& budget);
Value slice(const Value& object, const Value& start, const Value& stop, const Value& step, Budget& budget);

}  // namespace cria::jinja
