// Filters that make a text or a number of one value.
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <map>

#include "lib/jinja/call.hpp"
#include "lib/jinja/operators.hpp"
#include "lib/jinja/print.hpp"
#include "lib/jinja/text.hpp"
#include "lib/jinja/unicode.hpp"

namespace cria::jinja {
namespace {

std::string subject_text(Call& call) {
  std::string text = text_of(call.subject, call.budget);
  call.budget.make_text(text.size());
  call.budget.read(3 * text.size());
  return text;
}

template <std::string (*change)(std::string_view)>
Value changed_text(Call& call) {
  call.take({});
  return call.make_text(change(subject_text(call)));
}

/// Jinja's own: words begin after - ( { [ < and white space.
std::string filter_title(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    const auto separates = [&] {
      const std::string_view character = character_at(text, end);
      return std::string_view("-({[<").find(character) != std::string_view::npos || is_space(code_point_of(character));
    };
    const bool first = separates();
    while (end < text.size() && separates() == first) end += character_at(text, end).size();
    const std::size_t initial = at + character_at(text, at).size();
    (result += upper(text.substr(at, initial - at))) += lower(text.substr(initial, end - initial));
    at = end;
  }
  return result;
}

Value trim(Call& call) {
  call.take({"chars"});
  return call.make_text(strip_text(subject_text(call), true, true, call.optional_text(0), call.budget));
}

Value string(Call& call) {
  call.take({});
  return call.subject.as_text() ? call.subject : call.make_text(text_of(call.subject, call.budget));
}

Value tojson(Call& call) {
  call.take({"ensure_ascii", "indent", "separators", "sort_keys"});
  JsonStyle style;
  style.ascii = call.truth(0, false);
  style.sort_keys = call.truth(3, false);
  if (call.has(1) && call[1].as_text()) {
    style.indent = call.text(1);
  } else if (call.has(1) && !call[1].is_none()) {
    const std::int64_t width = call.integer(1, 0);
    if (width > 1000) throw Failure("an indent of more than 1000 blanks");
    style.indent = std::string(width > 0 ? static_cast<std::size_t>(width) : 0, ' ');
  }
  if (style.indent) style.item_separator = ",";
  if (call.has(2) && !call[2].is_none()) {
    const Sequence* separators = call[2].as_sequence();
    if (!separators || separators->items.size() != 2 || !separators->items[0].as_text() ||
        !separators->items[1].as_text())
      throw Failure("the separators of tojson are two texts");
    style.item_separator = *separators->items[0].as_text();
    style.key_separator = *separators->items[1].as_text();
    call.budget.make_text(style.item_separator.size() + style.key_separator.size());
    if (style.item_separator.size() + style.key_separator.size() > 1000)
      throw Failure("the separators of tojson are longer than 1000 bytes");
  }
  return call.make_text(to_json(call.subject, style, call.budget));
}

Value replace_filter(Call& call) {
  call.take({"old", "new", "count"}, 2);
  const std::int64_t most = call.has(2) && !call[2].is_none() ? call.integer(2, -1) : -1;
  return call.make_text(replace_text(subject_text(call), text_of(call[0], call.budget), text_of(call[1], call.budget),
                                     most, call.budget));
}

Value indent(Call& call) {
  call.take({"width", "first", "blank"});
  const std::string* text = call.subject.as_text();
  if (!text) throw Failure(fmt::format("`indent` needs a text, not '{}'", type_name(call.subject)));
  std::string margin = "    ";
  if (call.has(0) && call[0].as_text()) {
    margin = call.text(0);
  } else {
    const std::int64_t width = call.integer(0, 4);
    if (width > 1000) throw Failure("an indent of more than 1000 blanks");
    margin.assign(width > 0 ? static_cast<std::size_t>(width) : 0, ' ');
  }
  const bool blank = call.truth(2, false);
  std::string result = call.truth(1, false) ? margin : "";
  bool is_first = true;
  const std::string all = *text + "\n";
  for (const std::string_view line : split_lines(all, call.budget)) {
    call.budget.make_text(line.size() + margin.size() + 1);
    if (!is_first) result += '\n';
    if (!is_first && (blank || !line.empty())) result += margin;
    result += line;
    is_first = false;
  }
  return call.make_text(std::move(result));
}

/// What Python's int(text) and float(text) take, as a number.
template <class Number>
std::optional<Number> parsed(std::string_view text) {
  text = strip(text, true, true);
  if (text.starts_with('+') && !text.substr(1).starts_with('-')) text.remove_prefix(1);
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc::result_out_of_range) throw Failure(fmt::format("the number {:.40} is out of range", text));
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Value int_filter(Call& call) {
  call.take({"default"});
  const Value& value = call.subject;
  if (value.is_undefined()) fail_undefined(value);
  if (const bool* boolean = std::get_if<bool>(&value.data)) return Value::integer(*boolean);
  if (value.as_integer()) return value;
  std::optional<double> real;
  if (const double* number = std::get_if<double>(&value.data)) real = *number;
  if (const std::string* text = value.as_text()) {
    call.budget.read(text->size());
    if (const auto whole = parsed<std::int64_t>(*text)) return Value::integer(*whole);
    real = parsed<double>(*text);
  }
  if (!real || !std::isfinite(*real)) return call.has(0) ? call[0] : Value::integer(0);
  if (std::fabs(*real) >= 0x1p63) throw Failure("a number grows beyond 64 bits");
  return Value::integer(static_cast<std::int64_t>(*real));
}

Value float_filter(Call& call) {
  call.take({"default"});
  const Value& value = call.subject;
  if (value.is_undefined()) fail_undefined(value);
  if (const bool* boolean = std::get_if<bool>(&value.data)) return {*boolean ? 1.0 : 0.0};
  if (const std::int64_t* integer = value.as_integer()) return {static_cast<double>(*integer)};
  if (std::holds_alternative<double>(value.data)) return value;
  if (const std::string* text = value.as_text()) {
    call.budget.read(text->size());
    if (const auto number = parsed<double>(*text)) return {*number};
  }
  return call.has(0) ? call[0] : Value{0.0};
}

Value abs_filter(Call& call) {
  call.take({});
  if (const double* number = std::get_if<double>(&call.subject.data)) return {std::fabs(*number)};
  return less(call.subject, Value::integer(0), call.budget) ? negative(call.subject) : negative(negative(call.subject));
}

/// Python's round, to the nearest and ties to even, of what the decimals of a number say.
Value round_filter(Call& call) {
  call.take({"precision", "method"});
  const std::int64_t precision = call.integer(0, 0);
  const std::string method = call.has(1) ? call.text(1) : "common";
  const bool* boolean = std::get_if<bool>(&call.subject.data);
  const Value subject = boolean ? Value::integer(*boolean) : call.subject;
  const std::int64_t* integer = subject.as_integer();
  const double* real = std::get_if<double>(&subject.data);
  if (!integer && !real) throw Failure(fmt::format("`round` needs a number, not '{}'", type_name(call.subject)));
  if (precision < 0 || precision > 15) throw Failure("`round` is supported to 0 to 15 decimals");
  const double number = real ? *real : static_cast<double>(*integer);
  if (method == "common") {
    if (integer) return subject;
    double rounded = 0;
    const std::string text = fmt::format("{:.{}f}", number, precision);
    std::from_chars(text.data(), text.data() + text.size(), rounded);
    return {std::isfinite(number) ? rounded : number};
  }
  if (method != "ceil" && method != "floor") throw Failure("the method of `round` is common, ceil or floor");
  const double scale = std::pow(10.0, static_cast<double>(precision));
  return {(method == "ceil" ? std::ceil(number * scale) : std::floor(number * scale)) / scale};
}

Value default_filter(Call& call) {
  call.take({"default_value", "boolean"});
  const bool replaced = call.subject.is_undefined() || (call.truth(1, false) && !call.subject.truth());
  return !replaced ? call.subject : call.has(0) ? call[0] : call.make_text("");
}

}  // namespace

Native find_text_filter(std::string_view name) {
  static const std::map<std::string_view, Native> filters = {{"abs", abs_filter},
                                                             {"capitalize", changed_text<capitalize>},
                                                             {"d", default_filter},
                                                             {"default", default_filter},
                                                             {"float", float_filter},
                                                             {"indent", indent},
                                                             {"int", int_filter},
                                                             {"lower", changed_text<lower>},
                                                             {"replace", replace_filter},
                                                             {"round", round_filter},
                                                             {"safe", string},
                                                             {"string", string},
                                                             {"title", changed_text<filter_title>},
                                                             {"tojson", tojson},
                                                             {"trim", trim},
                                                             {"upper", changed_text<upper>}};
  const auto found = filters.find(name);
  return found == filters.end() ? nullptr : found->second;
}

}  // namespace cria::jinja
