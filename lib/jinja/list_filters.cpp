// Filters of what has items.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "lib/jinja/call.hpp"
#include "lib/jinja/operators.hpp"
#include "lib/jinja/print.hpp"
#include "lib/jinja/unicode.hpp"

namespace cria::jinja {
namespace {

Value make_iterator(Call& call, std::vector<Value> items) {
  return Value::sequence(Sequence::Kind::iterator, std::move(items), call.budget);
}

/// What sorting and `unique` compare: a text in small letters, unless the case counts.
Value sort_key(const Value& item_, const Value* attribute, bool case_sensitive, Budget& budget) {
  Value key = attribute && !attribute->is_none() ? find_attribute(item_, *attribute, budget) : item_;
  return key.as_text() && !case_sensitive ? Value::text(lower(*key.as_text()), budget) : key;
}

/// map, select and their kin give nothing for whatever is false, even for None.
std::shared_ptr<const Sequence> iterate_if_any(Call& call) {
  return iterate(call.subject.truth() ? call.subject : Value{}, call.budget);
}

Value length(Call& call) {
  call.take({});
  const Value& value = call.subject;
  if (value.is_undefined()) return Value::integer(0);
  if (const std::string* text = value.as_text()) {
    call.budget.read(4 * text->size());
    return Value::integer(static_cast<std::int64_t>(count_characters(*text)));
  }
  if (const Dict* dict = value.as_dict()) return Value::integer(static_cast<std::int64_t>(dict->entries.size()));
  const Sequence* sequence = value.as_sequence();
  if (!sequence || sequence->kind == Sequence::Kind::iterator)
    throw Failure(fmt::format("object of type '{}' has no len()", type_name(value)));
  return Value::integer(static_cast<std::int64_t>(sequence->items.size()));
}

Value first(Call& call) {
  call.take({});
  if (const std::string* text = call.subject.as_text(); text && !text->empty())
    return call.make_text(std::string(character_at(*text, 0)));
  const auto items = iterate(call.subject, call.budget);
  return items->items.empty() ? Value::undefined("No first item, sequence was empty.") : items->items.front();
}

Value last(Call& call) {
  call.take({});
  const Sequence* sequence = call.subject.as_sequence();
  if (sequence && sequence->kind == Sequence::Kind::iterator) throw Failure("'generator' object is not reversible");
  const auto items = iterate(call.subject, call.budget);
  return items->items.empty() ? Value::undefined("No last item, sequence was empty.") : items->items.back();
}

Value join_filter(Call& call) {
  call.take({"d", "attribute"});
  const std::string between = call.has(0) ? text_of(call[0], call.budget) : "";
  std::string text;
  const auto items = iterate(call.subject, call.budget);
  for (std::size_t i = 0; i < items->items.size(); ++i) {
    if (i > 0) text += between;
    const bool has_attribute = call.has(1) && !call[1].is_none();
    const std::size_t before = text.size();
    print(has_attribute ? find_attribute(items->items[i], call[1], call.budget) : items->items[i], text, call.budget);
    call.budget.make(text.size() - before + between.size());
  }
  return call.make_text(std::move(text));
}

Value list(Call& call) {
  call.take({});
  const auto items = iterate(call.subject, call.budget);
  return call.make_list(items->items);
}

Value items(Call& call) {
  call.take({});
  std::vector<Value> pairs;
  if (const Dict* dict = call.subject.as_dict()) {
    for (const auto& [key, value] : dict->entries)
      pairs.push_back(Value::sequence(Sequence::Kind::tuple, {key, value}, call.budget));
  } else if (!call.subject.is_undefined()) {
    throw Failure("Can only get item pairs from a mapping.");
  }
  return make_iterator(call, std::move(pairs));
}

/// Sorts by keys that are made once. Stable in both directions, as Python's sorted.
std::vector<Value> sorted(const std::vector<Value>& values, const std::vector<Value>& keys, bool reverse,
                          Budget& budget) {
  std::vector<std::size_t> order(values.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    return reverse ? less(keys[b], keys[a], budget) : less(keys[a], keys[b], budget);
  });
  std::vector<Value> result;
  for (const std::size_t i : order) result.push_back(values[i]);
  return result;
}

Value dictsort(Call& call) {
  call.take({"case_sensitive", "by", "reverse"});
  const Dict* dict = call.subject.as_dict();
  if (!dict) throw Failure(fmt::format("`dictsort` needs a dict, not '{}'", type_name(call.subject)));
  const std::string by = call.has(1) ? call.text(1) : "key";
  if (by != "key" && by != "value") throw Failure("`dictsort` sorts by \"key\" or \"value\"");
  std::vector<Value> pairs, keys;
  for (const auto& [key, value] : dict->entries) {
    pairs.push_back(Value::sequence(Sequence::Kind::tuple, {key, value}, call.budget));
    keys.push_back(sort_key(by == "key" ? key : value, nullptr, call.truth(0, false), call.budget));
  }
  return call.make_list(sorted(pairs, keys, call.truth(2, false), call.budget));
}

Value sort(Call& call) {
  call.take({"reverse", "case_sensitive", "attribute"});
  if (call.has(2) && call[2].as_text() && call.text(2).find(',') != std::string::npos)
    throw Failure("`sort` by several attributes is not supported");
  std::vector<Value> keys;
  const auto values = iterate(call.subject, call.budget);
  for (const Value& value : values->items) {  // lists of one, so that equal keys need no order, as in Jinja
    Value key = sort_key(value, call.has(2) ? &call[2] : nullptr, call.truth(1, false), call.budget);
    keys.push_back(call.make_list({std::move(key)}));
  }
  call.budget.make(keys.size() * sizeof(Value));
  return call.make_list(sorted(values->items, keys, call.truth(0, false), call.budget));
}

Value unique(Call& call) {
  call.take({"case_sensitive", "attribute"});
  std::vector<Value> kept, seen;
  const auto all = iterate(call.subject, call.budget);  // kept while it is run over
  for (const Value& value : all->items) {
    Value key = sort_key(value, call.has(1) ? &call[1] : nullptr, call.truth(0, false), call.budget);
    require_hashable(key);
    if (std::ranges::any_of(seen, [&](const Value& other) { return equal(other, key, call.budget); })) continue;
    kept.push_back(value);
    seen.push_back(std::move(key));
  }
  return make_iterator(call, std::move(kept));
}

Value reverse(Call& call) {
  call.take({});
  const bool is_text = call.subject.as_text();
  std::vector<Value> values = iterate(call.subject, call.budget)->items;
  std::ranges::reverse(values);
  if (!is_text) return make_iterator(call, std::move(values));
  std::string text;
  for (const Value& character : values) text += *character.as_text();
  return call.make_text(std::move(text));
}

/// map(attribute=…, default=…), or map("filter", arguments of the filter …).
Value map(Call& call) {
  std::vector<Value> results;
  const bool by_attribute = call.positional.empty();
  if (by_attribute) call.take({"attribute", "default"});
  if (by_attribute && !call.has(0)) throw Failure("`map` needs the name of a filter, or attribute=…");
  const std::string* filter = by_attribute ? nullptr : call.positional[0].as_text();
  if (!by_attribute && !filter) throw Failure("`map` needs the name of a filter");
  const Native native = filter ? find_filter(*filter) : nullptr;
  if (filter && !native) throw Failure(fmt::format("the filter `{:.60}` is not supported", *filter));
  const auto all = iterate_if_any(call);
  for (const Value& value : all->items) {
    call.budget.make(sizeof(Value));
    if (by_attribute) {
      Value found = find_attribute(value, call[0], call.budget);
      if (found.is_undefined() && call.has(1) && !call[1].is_none()) found = call[1];
      results.push_back(std::move(found));
    } else {
      Call each{call.interpreter, call.budget, *filter, value, {call.positional.begin() + 1, call.positional.end()},
                call.named};
      call.budget.step(each.positional.size() + each.named.size());
      results.push_back(native(each));
    }
  }
  return make_iterator(call, std::move(results));
}

/// select, reject ("test", arguments of the test …); selectattr and rejectattr take an attribute before. Without a test
/// it is the truth that counts.
template <bool keeps, bool of_attribute>
Value select_filter(Call& call) {
  const std::size_t first_of_test = of_attribute ? 1 : 0;
  if (call.positional.size() < first_of_test) throw Failure(fmt::format("`{}` needs an attribute", call.name));
  Native test = nullptr;
  std::string name;
  if (call.positional.size() > first_of_test) {
    const std::string* given = call.positional[first_of_test].as_text();
    test = given ? find_test(*given) : nullptr;
    if (!test) throw Failure(fmt::format("the test `{:.60}` is not supported", given ? *given : "that is no text"));
    name = *given;
  }
  std::vector<Value> kept;
  const auto all = iterate_if_any(call);
  for (const Value& value : all->items) {
    call.budget.make(sizeof(Value));
    const Value tested = of_attribute ? find_attribute(value, call.positional[0], call.budget) : value;
    bool holds = tested.truth();
    if (test) {
      Call each{call.interpreter,
                call.budget,
                name,
                tested,
                {call.positional.begin() + std::ptrdiff_t(first_of_test) + 1, call.positional.end()},
                call.named};
      call.budget.step(each.positional.size() + each.named.size());
      holds = test(each).truth();
    }
    if (holds == keeps) kept.push_back(value);
  }
  return make_iterator(call, std::move(kept));
}

}  // namespace

Native find_list_filter(std::string_view name) {
  static const std::map<std::string_view, Native> filters = {
      {"count", length},     {"dictsort", dictsort},
      {"first", first},      {"items", items},
      {"join", join_filter}, {"last", last},
      {"length", length},    {"list", list},
      {"map", map},          {"reject", select_filter<false, false>},
      {"reverse", reverse},  {"rejectattr", select_filter<false, true>},
      {"sort", sort},        {"select", select_filter<true, false>},
      {"unique", unique},    {"selectattr", select_filter<true, true>}};
  const auto found = filters.find(name);
  return found == filters.end() ? nullptr : found->second;
}

}  // namespace cria::jinja
