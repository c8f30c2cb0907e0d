#include "tests/pattern.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

namespace cria::testing {
namespace {

using Values = std::vector<double>;

constexpr double closeness = 1e-3;  // of the largest number: far beyond rounding, far below another pattern

double largest(const Values& values) {
  double result = 0;
  for (const double value : values) result = std::max(result, std::abs(value));
  return result;
}

/// Everywhere actual[i] is wanted(i), a number or NaN where nothing is known; at least two known numbers are not 0.
bool fits(const Values& actual, const std::function<double(size_t)>& wanted) {
  const double tolerance = closeness * largest(actual);
  size_t telling = 0;
  for (size_t i = 0; i < actual.size(); ++i) {
    const double value = wanted(i);
    if (std::isnan(value)) continue;
    if (!(std::abs(actual[i] - value) <= tolerance)) return false;
    telling += std::abs(value) > tolerance;
  }
  return telling >= 2;
}

/// "1/7" for 0.142857 where an axis has length 7; also 7, √7 and 1/√7, and halves and doubles of all.
std::string factor_text(double factor, const std::vector<size_t>& shape) {
  const std::string sign = factor < 0 ? "-" : "";
  const double size = std::abs(factor);
  const auto is = [&](double value) { return std::abs(size - value) <= closeness * value; };
  for (const size_t whole : {1, 2, 3, 4}) {
    if (is(double(whole))) return fmt::format("{}{}", sign, whole);
    if (is(1 / double(whole))) return fmt::format("{}1/{}", sign, whole);
  }
  for (const size_t length : shape) {
    const double n = double(length);
    if (is(n)) return fmt::format("{}{}", sign, length);
    if (is(1 / n)) return fmt::format("{}1/{}", sign, length);
    if (is(std::sqrt(n))) return fmt::format("{}√{}", sign, length);
    if (is(1 / std::sqrt(n))) return fmt::format("{}1/√{}", sign, length);
  }
  return fmt::format("{:.4g}", factor);
}

}  // namespace

std::string pattern(const Values& actual, const Values& expected, const std::vector<size_t>& shape) {
  const size_t count = actual.size();
  if (count < 2 || expected.size() != count) return "";
  const auto unwritten = std::ranges::count_if(actual, [](double x) { return std::isnan(x); });
  if (unwritten > 0 && std::ranges::none_of(expected, [](double x) { return std::isnan(x); }))
    return unwritten == std::ssize(actual)
               ? "all of yours are NaN, as if nothing was written"
               : fmt::format("{} of your {} numbers are NaN, as if nothing was written there", unwritten, count);
  if (largest(expected) == 0 || fits(expected, [&](size_t i) { return actual[i]; })) return "";
  if (largest(actual) == 0) return "all of yours are 0";

  double products = 0, squares = 0;
  for (size_t i = 0; i < count; ++i) products += actual[i] * expected[i], squares += expected[i] * expected[i];
  const double factor = products / squares;
  if (fits(actual, [&](size_t i) { return factor * expected[i]; }))
    return fmt::format("yours is {} times what is expected", factor_text(factor, shape));
  if (fits(actual, [&](size_t i) { return std::copysign(expected[i], actual[i]); }))
    return "right but for the sign of some";
  const double offset = actual[0] - expected[0];
  if (fits(actual, [&](size_t i) { return expected[i] + offset; }))
    return fmt::format("yours is {:.4g} {} than expected everywhere", std::abs(offset), offset > 0 ? "more" : "less");

  const size_t rows = shape[0], width = rows ? count / rows : 0;
  if (shape.size() == 2 && fits(actual, [&](size_t i) { return expected[i % rows * width + i / rows]; }))
    return "yours is the transpose of what is expected";
  const auto moved = [&](size_t length, size_t unit,
                         bool forward) {  // by one along an axis; the edge may hold anything
    return length > 2 && fits(actual, [&, length, unit](size_t i) {
             const size_t at = i / unit % length;
             if (at == (forward ? length - 1 : 0)) return std::nan("");
             return expected[forward ? i + unit : i - unit];
           });
  };
  if (moved(rows, width, true)) return "row n of yours is what belongs to row n + 1";
  if (moved(rows, width, false)) return "row n of yours is what belongs to row n - 1";
  if (shape.size() > 1 && moved(shape.back(), 1, true))
    return "within each row, yours is one place too far to the left";
  if (shape.size() > 1 && moved(shape.back(), 1, false))
    return "within each row, yours is one place too far to the right";
  if (shape.size() > 1 && rows > 2) {
    std::vector<size_t> right;
    for (size_t row = 0; row < rows; ++row)
      if (std::equal(&actual[row * width], &actual[row * width] + width, &expected[row * width],
                     [&](double a, double e) { return std::abs(a - e) <= closeness * largest(expected); }))
        right.push_back(row);
    if (right.size() == 1) return fmt::format("only row {} is right", right[0]);
    if (right.size() + 1 == rows) {
      size_t wrong = 0;
      while (wrong < right.size() && right[wrong] == wrong) ++wrong;
      return fmt::format("only row {} is wrong", wrong);
    }
  }
  return "";
}

}  // namespace cria::testing
