#include "lib/jinja/interpreter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "lib/jinja/print.hpp"

namespace cria::jinja {

Interpreter::Interpreter(const nlohmann::ordered_json& variables, const std::optional<std::tm>& now) : now_(now) {
  scope_ = new_scope(nullptr);
  for (const auto& entry : variables.items()) scope_->names[entry.key()] = from_json(entry.value());
}

std::string Interpreter::run(const Block& block) { return capture(block, scope_).first; }

Scope* Interpreter::new_scope(const Scope* outer) {
  budget_.make(4 * sizeof(Scope));  // and what the names in it take
  scopes_.push_back({outer, {}});
  return &scopes_.back();
}

Value Interpreter::make_namespace() {
  budget_.make(2 * sizeof(Namespace));
  namespaces_.emplace_back();
  return {&namespaces_.back()};
}

void Interpreter::write(std::string_view text) {
  if (output_->size() + text.size() > longest_text)
    throw Failure(fmt::format("the output grows beyond {} bytes", longest_text));
  budget_.read(text.size());
  *output_ += text;
}

/// What a block writes, run in a scope of its own.
std::pair<std::string, Interpreter::Flow> Interpreter::capture(const Block& block, const Scope* outer) {
  std::string text;
  std::string* const output = std::exchange(output_, &text);
  Scope* const scope = std::exchange(scope_, new_scope(outer));
  const Flow flow = execute(block);  // what is thrown here ends the render
  output_ = output;
  scope_ = scope;
  return {std::move(text), flow};
}

Interpreter::Flow Interpreter::execute(const Block& block) {
  for (const Statement& statement : block) {
    try {
      if (const Flow flow = execute(statement); flow != Flow::on) return flow;
    } catch (Failure& failure) {
      if (failure.line == 0) failure.line = statement.line;
      throw;
    }
  }
  return Flow::on;
}

Interpreter::Flow Interpreter::execute(const Statement& statement) {
  budget_.step();
  const Depth depth(*this);
  switch (statement.kind) {
    case Statement::Kind::text:
      write(statement.text);
      break;
    case Statement::Kind::output: {
      const Value value = evaluate(statement.expressions[0]);
      if (const std::string* text = value.as_text())
        write(*text);
      else
        write(text_of(value, budget_));
      break;
    }
    case Statement::Kind::conditional:
      return execute_conditional(statement);
    case Statement::Kind::loop:
      return execute_loop(statement);
    case Statement::Kind::leave:
      return Flow::leave;
    case Statement::Kind::next:
      return Flow::next;
    case Statement::Kind::assign:
      assign(statement.target, evaluate(statement.expressions[0]));
      break;
    case Statement::Kind::capture: {
      auto [text, flow] = capture(statement.blocks[0], scope_);
      if (flow != Flow::on) return flow;
      assign(statement.target, Value::text(std::move(text), budget_));
      break;
    }
    case Statement::Kind::macro:
      budget_.make(sizeof(Macro));
      macros_.push_back({&statement, scope_});
      scope_->names[statement.text] = {&std::as_const(macros_.back())};
      break;
    case Statement::Kind::generation:
      write(capture(statement.blocks[0], scope_).first);
      break;
  }
  return Flow::on;
}

Interpreter::Flow Interpreter::execute_conditional(const Statement& statement) {
  for (std::size_t i = 0; i < statement.expressions.size(); ++i)
    if (evaluate(statement.expressions[i]).truth()) return execute(statement.blocks[i]);
  const bool has_else = statement.blocks.size() > statement.expressions.size();
  return has_else ? execute(statement.blocks.back()) : Flow::on;
}

Interpreter::Flow Interpreter::execute_loop(const Statement& statement) {
  Scope* const outer = scope_;
  Loop::Condition condition;
  if (statement.expressions.size() > 1) {
    condition = [this, outer, &statement](const Value& item) {
      Scope* const scope = std::exchange(scope_, new_scope(outer));
      assign(statement.target, item);
      const bool kept = evaluate(statement.expressions[1]).truth();
      scope_ = scope;
      return kept;
    };
  }
  budget_.make(sizeof(Loop));
  Loop& loop = loops_.emplace_back(iterate(evaluate(statement.expressions[0]), budget_), std::move(condition));
  bool ran = false;
  Flow flow = Flow::on;
  while (flow != Flow::leave && loop.advance()) {
    ran = true;
    budget_.step();
    scope_ = new_scope(outer);
    scope_->names["loop"] = {&loop};
    assign(statement.target, loop.current());
    flow = execute(statement.blocks[0]);
  }
  if (!ran && statement.blocks.size() > 1) {
    scope_ = new_scope(outer);
    flow = execute(statement.blocks[1]);
    scope_ = outer;
    return flow;
  }
  scope_ = outer;
  return Flow::on;
}

void Interpreter::assign(const Target& target, const Value& value) {
  if (!target.parts.empty()) {
    const auto items = iterate(value, budget_);
    if (items->items.size() != target.parts.size())
      throw Failure(fmt::format("{} names for {} values", target.parts.size(), items->items.size()));
    for (std::size_t i = 0; i < target.parts.size(); ++i) assign(target.parts[i], items->items[i]);
  } else if (target.attribute.empty()) {
    budget_.make(2 * sizeof(Value));
    scope_->names[target.name] = value;
  } else {
    const Value owner = look_up(target.name);
    Namespace* const* space = std::get_if<Namespace*>(&owner.data);
    if (!space)
      throw Failure(fmt::format("`{}` is no namespace, so `{}` cannot be set in it", target.name, target.attribute));
    (*space)->attributes[target.attribute] = value;
  }
}

/// Positional arguments first, then those with names, then defaults, evaluated at the time of the call.
Value Interpreter::call_macro(const Macro& macro, Call& call) {
  const Statement& definition = *macro.definition;
  const auto& parameters = definition.parameters;
  if (call.positional.size() > parameters.size())
    throw Failure(fmt::format("macro `{}` takes {} arguments, not {}", definition.text, parameters.size(),
                              call.positional.size()));
  Scope* const caller = std::exchange(scope_, new_scope(macro.scope));
  const std::size_t first_default = parameters.size() - definition.expressions.size();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const auto named = std::ranges::find(call.named, parameters[i], &std::pair<std::string, Value>::first);
    if (i < call.positional.size()) {
      scope_->names[parameters[i]] = call.positional[i];
    } else if (named != call.named.end()) {
      scope_->names[parameters[i]] = named->second;
      call.named.erase(named);
    } else if (i >= first_default) {
      scope_->names[parameters[i]] = evaluate(definition.expressions[i - first_default]);
    } else {
      scope_->names[parameters[i]] = Value::undefined(fmt::format("parameter '{}' was not provided", parameters[i]));
    }
  }
  if (!call.named.empty())
    throw Failure(fmt::format("macro `{}` takes no keyword argument `{}`", definition.text, call.named[0].first));
  std::string text = capture(definition.blocks[0], scope_).first;
  scope_ = caller;
  return Value::text(std::move(text), budget_);
}

}  // namespace cria::jinja
