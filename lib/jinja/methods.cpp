// Methods of texts, dicts and loops.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "lib/jinja/interpreter.hpp"
#include "lib/jinja/text.hpp"
#include "lib/jinja/unicode.hpp"

namespace cria::jinja {
namespace {

const std::string& self(const Call& call) { return *call.subject.as_text(); }

template <std::string (*change)(std::string_view)>
Value changed(Call& call) {
  call.take({});
  call.budget.read(4 * self(call).size());
  return call.make_text(change(self(call)));
}

template <bool left, bool right>
Value stripped(Call& call) {
  call.take({"chars"});
  return call.make_text(strip_text(self(call), left, right, call.optional_text(0), call.budget));
}

/// str.startswith and str.endswith, of one text or any of a tuple.
template <bool at_start>
Value has_affix(Call& call) {
  call.take({"affix"}, 1);
  const auto holds = [&](const Value& affix) {
    const std::string* text = affix.as_text();
    if (!text)
      throw Failure(fmt::format("`{}` needs a text or a tuple of texts, not '{}'", call.name, type_name(affix)));
    call.budget.read(text->size());
    return at_start ? self(call).starts_with(*text) : self(call).ends_with(*text);
  };
  const Sequence* several = call[0].as_sequence();
  const bool is_tuple = several && several->kind == Sequence::Kind::tuple;
  return Value::boolean(is_tuple ? std::ranges::any_of(several->items, holds) : holds(call[0]));
}

Value split(Call& call) {
  call.take({"sep", "maxsplit"});
  return call.make_list(split_text(self(call), call.optional_text(0), call.integer(1, -1), false, call.budget));
}

Value rsplit(Call& call) {
  call.take({"sep", "maxsplit"});
  return call.make_list(split_text(self(call), call.optional_text(0), call.integer(1, -1), true, call.budget));
}

Value splitlines(Call& call) {
  call.take({});
  std::vector<Value> lines;
  for (const std::string_view line : split_lines(self(call), call.budget))
    lines.push_back(call.make_text(std::string(line)));
  return call.make_list(std::move(lines));
}

Value replace(Call& call) {
  call.take({"old", "new", "count"}, 2);
  return call.make_text(replace_text(self(call), call.text(0), call.text(1), call.integer(2, -1), call.budget));
}

Value find_part(Call& call) {
  call.take({"sub"}, 1);
  call.budget.search(self(call).size(), call.text(0).size());
  const std::size_t at = self(call).find(call.text(0));
  if (at == std::string::npos) return Value::integer(-1);
  return Value::integer(static_cast<std::int64_t>(count_characters(self(call).substr(0, at))));
}

Value count(Call& call) {
  call.take({"sub"}, 1);
  const std::string& part = call.text(0);
  if (part.empty()) return Value::integer(static_cast<std::int64_t>(count_characters(self(call)) + 1));
  call.budget.search(self(call).size(), part.size());
  std::int64_t number = 0;
  for (std::size_t at = self(call).find(part); at != std::string::npos; at = self(call).find(part, at + part.size()))
    ++number;
  return Value::integer(number);
}

Value join(Call& call) {
  call.take({"iterable"}, 1);
  std::string text;
  const auto items = iterate(call[0], call.budget);
  for (std::size_t i = 0; i < items->items.size(); ++i) {
    const std::string* part = items->items[i].as_text();
    if (!part) throw Failure(fmt::format("`join` needs texts, not '{}'", type_name(items->items[i])));
    call.budget.make_text(part->size() + self(call).size());
    if (i > 0) text += self(call);
    text += *part;
  }
  return call.make_text(std::move(text));
}

enum class Part { keys, values, items };
template <Part part>
Value view(Call& call) {
  call.take({});
  std::vector<Value> all;
  for (const auto& [key, value] : call.subject.as_dict()->entries) {
    if (part == Part::items)
      all.push_back(Value::sequence(Sequence::Kind::tuple, {key, value}, call.budget));
    else
      all.push_back(part == Part::keys ? key : value);
  }
  static constexpr Sequence::Kind kinds[] = {Sequence::Kind::keys, Sequence::Kind::values, Sequence::Kind::items};
  return Value::sequence(kinds[static_cast<std::size_t>(part)], std::move(all), call.budget);
}

Value get(Call& call) {
  call.take({"key", "default"}, 1);
  require_hashable(call[0]);
  const Value* value = find(*call.subject.as_dict(), call[0], call.budget);
  return value ? *value : call.has(1) ? call[1] : Value::none();
}

Value cycle(Call& call) { return std::get<Loop*>(call.subject.data)->cycle(call.positional); }

using Methods = std::map<std::string_view, Native>;

const Methods text_methods = {{"capitalize", changed<capitalize>},
                              {"count", count},
                              {"endswith", has_affix<false>},
                              {"find", find_part},
                              {"join", join},
                              {"lower", changed<lower>},
                              {"lstrip", stripped<true, false>},
                              {"replace", replace},
                              {"rsplit", rsplit},
                              {"rstrip", stripped<false, true>},
                              {"split", split},
                              {"splitlines", splitlines},
                              {"startswith", has_affix<true>},
                              {"strip", stripped<true, true>},
                              {"title", changed<title>},
                              {"upper", changed<upper>}};
const Methods dict_methods = {
    {"get", get}, {"items", view<Part::items>}, {"keys", view<Part::keys>}, {"values", view<Part::values>}};

/// What Python has and this interpreter does not, so that it is not taken for a missing attribute.
constexpr std::string_view other_text_methods[] = {
    "casefold", "center",  "encode",    "expandtabs", "format",       "format_map", "index",        "isalnum",
    "isalpha",  "isascii", "isdecimal", "isdigit",    "isidentifier", "islower",    "isnumeric",    "isprintable",
    "isspace",  "istitle", "isupper",   "ljust",      "maketrans",    "partition",  "removeprefix", "removesuffix",
    "rfind",    "rindex",  "rjust",     "rpartition", "swapcase",     "translate",  "zfill"};
constexpr std::string_view other_methods[] = {"copy", "count", "fromkeys", "index"};

/// Jinja's sandbox hides them.
constexpr std::string_view changing_methods[] = {"append", "clear",   "extend",     "insert", "pop",   "popitem",
                                                 "remove", "reverse", "setdefault", "sort",   "update"};

}  // namespace

Value find_method(const Value& object, std::string_view name) {
  if (std::holds_alternative<Loop*>(object.data) && name == "cycle")
    return {Function{"cycle", cycle, std::make_shared<const Value>(object)}};
  const bool is_text = object.as_text(), is_dict = object.as_dict(), is_list = object.is_list_like();
  if (!is_text && !is_dict && !is_list) return {};
  if (!is_list) {
    const Methods& methods = is_text ? text_methods : dict_methods;
    if (const auto found = methods.find(name); found != methods.end())
      return {Function{found->first, found->second, std::make_shared<const Value>(object)}};
  }
  const auto is_one_of = [name](const auto& names) { return std::ranges::find(names, name) != std::end(names); };
  const bool is_other = is_text   ? is_one_of(other_text_methods)
                        : is_dict ? name == "copy" || name == "fromkeys"
                                  : is_one_of(other_methods) && name != "fromkeys";
  if (is_other) throw Failure(fmt::format("the method `{}` of '{}' is not supported", name, type_name(object)));
  static constexpr std::string_view of_dict[] = {"clear", "pop", "popitem", "setdefault", "update"};
  if ((is_dict && is_one_of(of_dict)) ||
      (is_list && is_one_of(changing_methods) && name != "popitem" && name != "setdefault" && name != "update"))
    return Value::undefined(fmt::format("access to attribute '{}' of '{}' object is unsafe.", name, type_name(object)));
  return {};
}

}  // namespace cria::jinja
