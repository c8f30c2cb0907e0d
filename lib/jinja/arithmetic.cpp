#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "lib/jinja/operators.hpp"

namespace cria::jinja {
namespace {

constexpr std::string_view symbols[] = {"+", "-", "*", "/", "//", "%"};

std::optional<std::int64_t> whole_number(const Value& value) {
  if (const bool* boolean = std::get_if<bool>(&value.data)) return *boolean;
  if (const std::int64_t* integer = value.as_integer()) return *integer;
  return std::nullopt;
}

std::optional<double> number(const Value& value) {
  if (const auto whole = whole_number(value)) return static_cast<double>(*whole);
  if (const double* number = std::get_if<double>(&value.data)) return *number;
  return std::nullopt;
}

[[noreturn]] void fail_range() { throw Failure("a number grows beyond 64 bits"); }

Value whole_arithmetic(Operator operation, std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  const bool divides = operation == Operator::floor_divide || operation == Operator::modulo;
  if (divides && b == 0) throw Failure("division by zero");
  if (divides && b == -1) {  // the quotient of the smallest number is too large
    if (operation == Operator::modulo) return Value::integer(0);
    if (__builtin_sub_overflow(std::int64_t{0}, a, &result)) fail_range();
    return Value::integer(result);
  }
  bool overflows = false;
  switch (operation) {
    case Operator::add:
      overflows = __builtin_add_overflow(a, b, &result);
      break;
    case Operator::subtract:
      overflows = __builtin_sub_overflow(a, b, &result);
      break;
    case Operator::multiply:
      overflows = __builtin_mul_overflow(a, b, &result);
      break;
    case Operator::floor_divide:
      result = a / b - ((a % b != 0) && ((a < 0) != (b < 0)));
      break;
    default:
      result = a % b + ((a % b != 0) && ((a < 0) != (b < 0)) ? b : 0);
      break;
  }
  if (overflows) fail_range();
  return Value::integer(result);
}

Value real_arithmetic(Operator operation, double a, double b) {
  const bool divides = operation >= Operator::divide && operation <= Operator::modulo;
  if (divides && b == 0) throw Failure("division by zero");
  const auto remainder = [&] {  // with the sign of the divisor
    const double rest = std::fmod(a, b);
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : std::copysign(rest, rest == 0 ? b : rest);
  };
  switch (operation) {
    case Operator::add:
      return {a + b};
    case Operator::subtract:
      return {a - b};
    case Operator::multiply:
      return {a * b};
    case Operator::divide:
      return {a / b};
    case Operator::floor_divide:
      return {std::floor((a - remainder()) / b + 0.5)};
    default:
      return {remainder()};
  }
}

Value joined(const Value& left, const Value& right, Budget& budget) {
  if (left.as_text()) {
    budget.make_text(left.as_text()->size() + right.as_text()->size());
    return {std::make_shared<const std::string>(*left.as_text() + *right.as_text())};
  }
  const auto& first = left.as_sequence()->items;
  const auto& second = right.as_sequence()->items;
  budget.make((first.size() + second.size()) * sizeof(Value));
  std::vector<Value> items(first);
  items.insert(items.end(), second.begin(), second.end());
  return Value::sequence(left.as_sequence()->kind, std::move(items), budget);
}

Value repeated(const Value& value, std::int64_t count, Budget& budget) {
  const auto times = static_cast<std::size_t>(std::max<std::int64_t>(count, 0));
  if (times > longest_text) throw Failure(fmt::format("a text or list is repeated more than {} times", longest_text));
  if (const std::string* text = value.as_text()) {
    budget.make_text(times * text->size());
    std::string result;
    for (std::size_t i = 0; i < times && !text->empty(); ++i) result += *text;
    return {std::make_shared<const std::string>(std::move(result))};
  }
  const auto& items = value.as_sequence()->items;
  budget.make(times * items.size() * sizeof(Value));
  std::vector<Value> result;
  for (std::size_t i = 0; i < times && !items.empty(); ++i) result.insert(result.end(), items.begin(), items.end());
  return Value::sequence(value.as_sequence()->kind, std::move(result), budget);
}

bool can_join(const Value& value) {
  const Sequence* sequence = value.as_sequence();
  return value.as_text() || (sequence && sequence->kind <= Sequence::Kind::tuple);
}

}  // namespace

Value arithmetic(Operator operation, const Value& left, const Value& right, Budget& budget) {
  if (operation == Operator::modulo && left.as_text()) throw Failure("formatting a text with `%` is not supported");
  if (left.is_undefined()) fail_undefined(left);
  if (right.is_undefined()) fail_undefined(right);
  if (operation != Operator::divide) {
    const auto a = whole_number(left), b = whole_number(right);
    if (a && b) return whole_arithmetic(operation, *a, *b);
  }
  if (const auto a = number(left), b = number(right); a && b) return real_arithmetic(operation, *a, *b);
  if (operation == Operator::add && can_join(left) && type_name(left) == type_name(right))
    return joined(left, right, budget);
  if (operation == Operator::multiply && can_join(left) && whole_number(right))
    return repeated(left, *whole_number(right), budget);
  if (operation == Operator::multiply && can_join(right) && whole_number(left))
    return repeated(right, *whole_number(left), budget);
  throw Failure(fmt::format("unsupported operand types for {}: '{}' and '{}'",
                            symbols[static_cast<std::size_t>(operation)], type_name(left), type_name(right)));
}

Value negative(const Value& value) {
  if (value.is_undefined()) fail_undefined(value);
  if (const auto whole = whole_number(value)) return whole_arithmetic(Operator::subtract, 0, *whole);
  if (const double* real = std::get_if<double>(&value.data)) return {-*real};
  throw Failure(fmt::format("bad operand type for unary -: '{}'", type_name(value)));
}

}  // namespace cria::jinja
