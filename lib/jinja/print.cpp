#include "lib/jinja/print.hpp"

#include <fmt/format.h>

#include <cmath>

#include "lib/jinja/unicode.hpp"

namespace cria::jinja {
namespace {

void check_length(const std::string& out) {
  if (out.size() > longest_text) throw Failure(fmt::format("a text grows beyond {} bytes", longest_text));
}

void represent_sequence(const Sequence& sequence, std::string& out, Budget& budget) {
  using Kind = Sequence::Kind;
  static constexpr std::string_view opening[] = {"[", "(", "", "dict_keys([", "dict_values([", "dict_items(["};
  static constexpr std::string_view closing[] = {"]", ")", "", "])", "])", "])"};
  if (sequence.kind == Kind::iterator) throw Failure("a generator cannot be written: add `| list`");
  if (sequence.kind == Kind::range) throw Failure("a range cannot be written: add `| list`");
  out += opening[static_cast<std::size_t>(sequence.kind)];
  for (std::size_t i = 0; i < sequence.items.size(); ++i) {
    if (i > 0) out += ", ";
    represent(sequence.items[i], out, budget);
  }
  if (sequence.kind == Kind::tuple && sequence.items.size() == 1) out += ',';
  out += closing[static_cast<std::size_t>(sequence.kind)];
}

}  // namespace

std::string represent(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number > 0 ? "inf" : "-inf";
  std::string text = fmt::format("{}", number);
  if (text.find_first_of(".e") == text.npos) text += ".0";
  return text;
}

std::string represent(std::string_view text) {
  const char quote = text.find('\'') != text.npos && text.find('"') == text.npos ? '"' : '\'';
  std::string out(1, quote);
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view character = character_at(text, at);
    at += character.size();
    const std::uint32_t c = code_point_of(character);
    if (character == "\n")
      out += "\\n";
    else if (character == "\r")
      out += "\\r";
    else if (character == "\t")
      out += "\\t";
    else if (character == "\\" || character[0] == quote)
      (out += '\\') += character;
    else if (is_printable(c))
      out += character;
    else if (c < 0x100)
      out += fmt::format("\\x{:02x}", c);
    else if (c < 0x10000)
      out += fmt::format("\\u{:04x}", c);
    else
      out += fmt::format("\\U{:08x}", c);
  }
  return out += quote;
}

void represent(const Value& value, std::string& out, Budget& budget) {
  budget.step();
  check_length(out);
  if (const std::string* text = value.as_text()) {
    budget.read(4 * text->size());  // each byte may be an escape
    out += represent(*text);
  } else if (const Sequence* sequence = value.as_sequence()) {
    represent_sequence(*sequence, out, budget);
  } else if (const Dict* dict = value.as_dict()) {
    out += '{';
    for (const auto& [key, entry] : dict->entries) {
      if (&key != &dict->entries[0].first) out += ", ";
      represent(key, out, budget);
      out += ": ";
      represent(entry, out, budget);
    }
    out += '}';
  } else if (value.is_undefined()) {
    out += "Undefined";
  } else {
    print(value, out, budget);
  }
}

void print(const Value& value, std::string& out, Budget& budget) {
  if (const std::string* text = value.as_text()) {
    out += *text;
  } else if (const std::int64_t* integer = value.as_integer()) {
    out += std::to_string(*integer);
  } else if (const bool* boolean = std::get_if<bool>(&value.data)) {
    out += *boolean ? "True" : "False";
  } else if (const double* number = std::get_if<double>(&value.data)) {
    out += represent(*number);
  } else if (value.is_none()) {
    out += "None";
  } else if (value.as_sequence() || value.as_dict()) {
    represent(value, out, budget);
  } else if (!value.is_undefined()) {
    throw Failure(fmt::format("a {} cannot be written", type_name(value)));
  }
  check_length(out);
}

std::string text_of(const Value& value, Budget& budget) {
  std::string text;
  print(value, text, budget);
  return text;
}

}  // namespace cria::jinja
