// Runs a parsed template once: scopes, control flow, the text written so far.
//
// Scopes are Jinja's: the template, each pass of a for loop, a macro's call, a captured block and a generation have
// their own, `if` has none. What is set inside is not seen outside; a namespace is the way out.
#pragma once

#include <ctime>
#include <deque>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lib/jinja/call.hpp"
#include "lib/jinja/syntax.hpp"

namespace cria::jinja {

struct Scope {
  const Scope* outer = nullptr;
  std::unordered_map<std::string_view, Value> names;  // spelled in the template or in the variables
};

struct Namespace {
  std::map<std::string, Value, std::less<>> attributes;
};

struct Macro {
  const Statement* definition = nullptr;
  const Scope* scope = nullptr;  // in which it was defined
};

/// The items of a for loop, one after the other, and what `loop` says of them. The condition of the loop is asked for
/// an item when it is its turn, or when `loop` needs to know it.
class Loop {
 public:
  using Condition = std::function<bool(const Value&)>;
  Loop(std::shared_ptr<const Sequence> items, Condition condition);

  /// False at the end.
  bool advance();
  const Value& current() const { return current_; }
  Value attribute(std::string_view name, Budget& budget);
  Value cycle(const std::vector<Value>& values) const;

 private:
  bool peek();
  std::int64_t length();

  std::shared_ptr<const Sequence> items_;
  Condition condition_;
  std::size_t at_ = 0;
  std::int64_t index_ = -1;
  std::optional<std::int64_t> length_;
  std::optional<Value> after_;
  Value before_, current_;
};

class Interpreter {
 public:
  /// `now` is what strftime_now tells; without it there is no such function.
  Interpreter(const nlohmann::ordered_json& variables, const std::optional<std::tm>& now);

  std::string run(const Block& block);

  Value call(const Value& callee, Call& call);
  Value make_namespace();
  Budget& budget() { return budget_; }
  const std::tm& now() const { return *now_; }

 private:
  enum class Flow { on, next, leave };  // what a break or continue makes of the statements around it

  /// Bounds what the interpreter takes of the stack.
  class Depth {
   public:
    explicit Depth(Interpreter& interpreter) : interpreter_(interpreter) {
      if (interpreter.depth_ == deepest_evaluation) throw Failure("macros call each other too deep");
      ++interpreter.depth_;
    }
    ~Depth() { --interpreter_.depth_; }

   private:
    Interpreter& interpreter_;
  };

  // interpreter.cpp
  Flow execute(const Block& block);
  Flow execute(const Statement& statement);
  Flow execute_conditional(const Statement& statement);
  Flow execute_loop(const Statement& statement);
  std::pair<std::string, Flow> capture(const Block& block, const Scope* outer);
  void assign(const Target& target, const Value& value);
  void write(std::string_view text);
  Scope* new_scope(const Scope* outer);
  Value call_macro(const Macro& macro, Call& call);

  // evaluate.cpp
  Value evaluate(const Expression& expression);
  Value evaluate_as(const Expression& expression);
  Value look_up(const std::string& name);
  Value evaluate_dict(const Expression& expression);
  Value evaluate_call(const Expression& expression);
  Value evaluate_comparison(const Expression& expression);
  Call arguments(const Expression& expression, std::string_view name, Value subject);
  std::vector<Value> evaluate_all(const std::vector<Expression>& expressions);

  Budget budget_;
  std::optional<std::tm> now_;
  std::deque<Scope> scopes_;  // kept to the end, for macros point to them
  std::deque<Namespace> namespaces_;
  std::deque<Macro> macros_;
  std::deque<Loop> loops_;
  Scope* scope_ = nullptr;
  std::string* output_ = nullptr;
  std::size_t depth_ = 0;
};

}  // namespace cria::jinja
