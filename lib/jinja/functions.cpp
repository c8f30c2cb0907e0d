// The functions that templates may call: transformers' and some of Jinja's.
#include <fmt/format.h>

#include <map>

#include "lib/base/check.hpp"
#include "lib/jinja/interpreter.hpp"
#include "lib/jinja/print.hpp"

namespace cria::jinja {
namespace {

/// The template refuses its variables; its own words are the message.
Value raise_exception(Call& call) {
  call.take({"message"}, 1);
  throw UserError(text_of(call[0], call.budget));
}

Value strftime_now(Call& call) {
  call.take({"format"}, 1);
  const std::string& format = call.text(0);
  if (format.size() > 1000) throw Failure("the format of strftime_now is longer than 1000 bytes");
  std::string text;
  for (std::size_t at = 0; at < format.size(); ++at) {
    if (format[at] != '%') {
      text += format[at];
      continue;
    }
    const char letter = ++at < format.size() ? format[at] : '\0';
    if (letter == '\0' || std::string_view("aAbBdeHIjmMpSuwyYFT%").find(letter) == std::string_view::npos)
      throw Failure(fmt::format("strftime_now with `%{}` is not supported", letter < ' ' ? '?' : letter));
    char piece[100];
    const char pattern[] = {'%', letter, '\0'};
    text.append(piece, std::strftime(piece, sizeof piece, pattern, &call.interpreter.now()));
  }
  return call.make_text(std::move(text));
}

Value namespace_(Call& call) {
  const Value space = call.interpreter.make_namespace();
  auto& attributes = std::get<Namespace*>(space.data)->attributes;
  if (!call.positional.empty()) {
    const Dict* dict = call.positional[0].as_dict();
    if (!dict || call.positional.size() > 1) throw Failure("namespace takes one dict, or arguments with names");
    for (const auto& [key, value] : dict->entries) {
      if (!key.as_text()) throw Failure("a namespace has names, which are texts");
      attributes[*key.as_text()] = value;
    }
  }
  for (const auto& [name, value] : call.named) attributes[name] = value;
  call.budget.make(attributes.size() * 4 * sizeof(Value));
  for (const auto& [name, value] : attributes)
    if (name.starts_with('_')) throw Failure(fmt::format("the attribute `{:.60}` begins with `_`", name));
  return space;
}

Value range(Call& call) {
  call.take({"start", "stop", "step"}, 1);
  const std::int64_t start = call.has(1) ? call.integer(0, 0) : 0;
  const std::int64_t stop = call.has(1) ? call.integer(1, 0) : call.integer(0, 0);
  const std::int64_t step = call.integer(2, 1);
  if (step == 0) throw Failure("the step of a range cannot be zero");
  std::vector<Value> numbers;
  for (std::int64_t i = start; step > 0 ? i < stop : i > stop;) {
    if (numbers.size() == longest_range) throw Failure(fmt::format("a range is longer than {}", longest_range));
    numbers.push_back(Value::integer(i));
    if (__builtin_add_overflow(i, step, &i)) break;
  }
  return Value::sequence(Sequence::Kind::range, std::move(numbers), call.budget);
}

Value dict(Call& call) {
  std::vector<std::pair<Value, Value>> entries;
  if (call.positional.size() > 1) throw Failure("dict takes one dict or list of pairs, and arguments with names");
  for (const Value& argument : call.positional) {
    if (const Dict* other = argument.as_dict()) {
      entries = other->entries;
      continue;
    }
    const auto all = iterate(argument, call.budget);  // kept while it is run over
    for (const Value& pair : all->items) {
      const auto parts = iterate(pair, call.budget);
      if (parts->items.size() != 2) throw Failure("dict needs pairs of key and value");
      insert(entries, parts->items[0], parts->items[1], call.budget);
    }
  }
  for (const auto& [name, value] : call.named) insert(entries, call.make_text(name), value, call.budget);
  return Value::dict(std::move(entries), call.budget);
}

}  // namespace

Native find_function(std::string_view name) {
  static const std::map<std::string_view, Native> functions = {{"raise_exception", raise_exception},
                                                               {"strftime_now", strftime_now},
                                                               {"namespace", namespace_},
                                                               {"range", range},
                                                               {"dict", dict}};
  const auto found = functions.find(name);
  return found == functions.end() ? nullptr : found->second;
}

}  // namespace cria::jinja
