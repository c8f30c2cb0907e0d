// Values as text: Python's str and repr, and JSON as Python's json.dumps writes it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lib/jinja/value.hpp"

namespace cria::jinja {

/// Appends str(value), and repr(value). Throws Failure for what has no text that means something: functions, macros,
/// namespaces, generators.
void print(const Value& value, std::string& out, Budget& budget);
void represent(const Value& value, std::string& out, Budget& budget);
std::string text_of(const Value& value, Budget& budget);
std::string represent(std::string_view text);
/// The shortest digits that read back as the same number, with at least one decimal: 1.0, 1e+16, inf.
std::string represent(double number);

struct JsonStyle {
  bool ascii = false;                 // \u escapes for all else
  std::optional<std::string> indent;  // of each level, on lines of their own
  std::string item_separator = ", ", key_separator = ": ";
  bool sort_keys = false;
};
std::string to_json(const Value& value, const JsonStyle& style, Budget& budget);

}  // namespace cria::jinja
