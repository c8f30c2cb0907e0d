#include <fmt/format.h>

#include <utility>

#include "lib/jinja/interpreter.hpp"
#include "lib/jinja/print.hpp"

namespace cria::jinja {

using Kind = Expression::Kind;

Value Interpreter::evaluate(const Expression& expression) {
  budget_.step();
  const Depth depth(*this);
  try {
    return evaluate_as(expression);
  } catch (Failure& failure) {
    if (failure.line == 0) failure.line = expression.line;
    throw;
  }
}

Value Interpreter::evaluate_as(const Expression& expression) {
  const auto& children = expression.children;
  switch (expression.kind) {
    case Kind::literal:
      return expression.value;
    case Kind::name:
      return look_up(expression.name);
    case Kind::list:
      return Value::sequence(Sequence::Kind::list, evaluate_all(children), budget_);
    case Kind::tuple:
      return Value::sequence(Sequence::Kind::tuple, evaluate_all(children), budget_);
    case Kind::dict:
      return evaluate_dict(expression);
    case Kind::attribute:
      return attribute(evaluate(children[0]), expression.name, budget_);
    case Kind::item: {
      const Value object = evaluate(children[0]);
      return item(object, evaluate(children[1]), budget_);
    }
    case Kind::slice: {
      const std::vector<Value> values = evaluate_all(children);
      return slice(values[0], values[1], values[2], values[3], budget_);
    }
    case Kind::call:
      return evaluate_call(expression);
    case Kind::filter:
    case Kind::test: {
      Value subject = evaluate(children[0]);
      Call call = arguments(expression, expression.name, std::move(subject));
      return expression.native(call);
    }
    case Kind::negative:
      return negative(evaluate(children[0]));
    case Kind::positive:
      return negative(negative(evaluate(children[0])));
    case Kind::negation:
      return Value::boolean(!evaluate(children[0]).truth());
    case Kind::both:
    case Kind::either: {  // the value that decides
      Value value = evaluate(children[0]);
      for (std::size_t i = 1; i < children.size() && value.truth() == (expression.kind == Kind::both); ++i)
        value = evaluate(children[i]);
      return value;
    }
    case Kind::choice:
      if (evaluate(children[1]).truth()) return evaluate(children[0]);
      if (children.size() > 2) return evaluate(children[2]);
      return Value::undefined("the inline `if` is false and has no `else`");
    case Kind::concatenation: {
      std::string text;
      for (const Expression& child : children) {
        print(evaluate(child), text, budget_);
        budget_.make_text(text.size());
      }
      return Value{std::make_shared<const std::string>(std::move(text))};
    }
    case Kind::arithmetic: {
      Value value = evaluate(children[0]);
      for (std::size_t i = 1; i < children.size(); ++i)
        value = arithmetic(expression.operators[i - 1], value, evaluate(children[i]), budget_);
      return value;
    }
    case Kind::comparison:
      return evaluate_comparison(expression);
  }
  throw Failure("unknown expression");
}

std::vector<Value> Interpreter::evaluate_all(const std::vector<Expression>& expressions) {
  std::vector<Value> values;
  values.reserve(expressions.size());
  for (const Expression& expression : expressions) values.push_back(evaluate(expression));
  return values;
}

Value Interpreter::look_up(const std::string& name) {
  for (const Scope* scope = scope_; scope; scope = scope->outer) {
    budget_.step();
    if (const auto found = scope->names.find(name); found != scope->names.end()) return found->second;
  }
  if (const Native native = find_function(name); native && (name != "strftime_now" || now_))
    return {Function{name, native, nullptr}};
  return Value::undefined(fmt::format("'{}' is undefined", name));
}

/// A key that comes twice keeps its first place and has its last value.
Value Interpreter::evaluate_dict(const Expression& expression) {
  std::vector<std::pair<Value, Value>> entries;
  for (std::size_t i = 0; i < expression.children.size(); i += 2) {
    Value key = evaluate(expression.children[i]);
    Value value = evaluate(expression.children[i + 1]);
    insert(entries, std::move(key), std::move(value), budget_);
  }
  return Value::dict(std::move(entries), budget_);
}

Call Interpreter::arguments(const Expression& expression, std::string_view name, Value subject) {
  Call call{*this, budget_, name, std::move(subject), {}, {}};
  const std::size_t first_named = expression.children.size() - expression.names.size();
  for (std::size_t i = 1; i < expression.children.size(); ++i) {
    Value value = evaluate(expression.children[i]);
    if (i < first_named)
      call.positional.push_back(std::move(value));
    else
      call.named.emplace_back(expression.names[i - first_named], std::move(value));
  }
  return call;
}

Value Interpreter::evaluate_call(const Expression& expression) {
  const Value callee = evaluate(expression.children[0]);
  Call prepared = arguments(expression, "", Value{});
  return call(callee, prepared);
}

Value Interpreter::call(const Value& callee, Call& call) {
  if (const Function* function = std::get_if<Function>(&callee.data)) {
    call.name = function->name;
    if (function->self) call.subject = *function->self;
    return function->native(call);
  }
  if (const auto* macro = std::get_if<const Macro*>(&callee.data)) return call_macro(**macro, call);
  if (callee.is_undefined()) fail_undefined(callee);
  throw Failure(fmt::format("'{}' object is not callable", type_name(callee)));
}

Value Interpreter::evaluate_comparison(const Expression& expression) {
  Value left = evaluate(expression.children[0]);
  for (std::size_t i = 1; i < expression.children.size(); ++i) {
    Value right = evaluate(expression.children[i]);
    if (!compare(expression.operators[i - 1], left, right, budget_)) return Value::boolean(false);
    left = std::move(right);
  }
  return Value::boolean(true);
}

}  // namespace cria::jinja
