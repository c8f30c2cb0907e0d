// What stands after `is`, and after `select` and its kin.
#include <fmt/format.h>

#include <cmath>
#include <map>

#include "lib/jinja/call.hpp"
#include "lib/jinja/operators.hpp"
#include "lib/jinja/print.hpp"
#include "lib/jinja/unicode.hpp"

namespace cria::jinja {
namespace {

template <class Alternative>
bool is_a(const Value& value) {
  return std::holds_alternative<Alternative>(value.data);
}

template <bool (*holds)(const Value&)>
Value simple(Call& call) {
  call.take({});
  return Value::boolean(holds(call.subject));
}

bool is_defined(const Value& value) { return !value.is_undefined(); }
bool is_undefined_value(const Value& value) { return value.is_undefined(); }
bool is_none_value(const Value& value) { return value.is_none(); }
bool is_true(const Value& value) { return is_a<bool>(value) && value.truth(); }
bool is_false(const Value& value) { return is_a<bool>(value) && !value.truth(); }
bool is_number(const Value& value) { return is_a<bool>(value) || is_a<std::int64_t>(value) || is_a<double>(value); }
bool is_mapping(const Value& value) { return value.as_dict(); }
bool is_callable(const Value& value) { return is_a<Function>(value) || is_a<const Macro*>(value); }
bool is_sequence(const Value& value) {
  return value.as_text() || value.as_dict() || value.is_list_like() || value.is_undefined();
}
bool is_iterable(const Value& value) { return is_sequence(value) || value.as_sequence() || is_a<Loop*>(value); }

/// All letters are small, or capital, and there is one.
template <bool small>
Value has_case(Call& call) {
  call.take({});
  const std::string text = text_of(call.subject, call.budget);
  call.budget.read(12 * text.size());
  bool any = false;
  for (std::size_t at = 0; at < text.size(); at += character_at(text, at).size())
    any = any || is_cased(code_point_of(character_at(text, at)));
  return Value::boolean(any && text == (small ? lower(text) : upper(text)));
}

template <Operator operation>
Value compared(Call& call) {
  call.take({"other"}, 1);
  return Value::boolean(compare(operation, call.subject, call[0], call.budget));
}

Value divisible_by(Call& call) {
  call.take({"num"}, 1);
  return Value::boolean(!arithmetic(Operator::modulo, call.subject, call[0], call.budget).truth());
}

template <std::int64_t rest>
Value is_modulo_two(Call& call) {
  call.take({});
  const Value remainder = arithmetic(Operator::modulo, call.subject, Value::integer(2), call.budget);
  return Value::boolean(equal(remainder, Value::integer(rest), call.budget));
}

/// `sameas` of the constants; two objects may or may not be one in Python.
Value same_as(Call& call) {
  call.take({"other"}, 1);
  const bool is_constant = call[0].is_none() || is_a<bool>(call[0]);
  if (!is_constant) throw Failure("the test `sameas` is supported for true, false and none");
  return Value::boolean(call[0].data.index() == call.subject.data.index() && call[0].truth() == call.subject.truth());
}

}  // namespace

Native find_test(std::string_view name) {
  static const std::map<std::string_view, Native> tests = {{"defined", simple<is_defined>},
                                                           {"undefined", simple<is_undefined_value>},
                                                           {"none", simple<is_none_value>},
                                                           {"boolean", simple<is_a<bool>>},
                                                           {"true", simple<is_true>},
                                                           {"false", simple<is_false>},
                                                           {"integer", simple<is_a<std::int64_t>>},
                                                           {"float", simple<is_a<double>>},
                                                           {"number", simple<is_number>},
                                                           {"string", simple<is_a<Text>>},
                                                           {"mapping", simple<is_mapping>},
                                                           {"sequence", simple<is_sequence>},
                                                           {"iterable", simple<is_iterable>},
                                                           {"callable", simple<is_callable>},
                                                           {"lower", has_case<true>},
                                                           {"upper", has_case<false>},
                                                           {"even", is_modulo_two<0>},
                                                           {"odd", is_modulo_two<1>},
                                                           {"divisibleby", divisible_by},
                                                           {"sameas", same_as},
                                                           {"in", compared<Operator::in>},
                                                           {"==", compared<Operator::equal>},
                                                           {"eq", compared<Operator::equal>},
                                                           {"equalto", compared<Operator::equal>},
                                                           {"!=", compared<Operator::unequal>},
                                                           {"ne", compared<Operator::unequal>},
                                                           {"<", compared<Operator::less>},
                                                           {"lt", compared<Operator::less>},
                                                           {"lessthan", compared<Operator::less>},
                                                           {"<=", compared<Operator::less_equal>},
                                                           {"le", compared<Operator::less_equal>},
                                                           {">", compared<Operator::greater>},
                                                           {"gt", compared<Operator::greater>},
                                                           {"greaterthan", compared<Operator::greater>},
                                                           {">=", compared<Operator::greater_equal>},
                                                           {"ge", compared<Operator::greater_equal>}};
  const auto found = tests.find(name);
  return found == tests.end() ? nullptr : found->second;
}

}  // namespace cria::jinja
