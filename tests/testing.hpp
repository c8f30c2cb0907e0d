// What every test includes: Catch2, written as version 3 and adapted to version 2, the goldens, and comparisons that
// say where two arrays differ.
#pragma once

#if __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#define CRIA_CONTAINS Catch::Matchers::ContainsSubstring
#else
#include <catch2/catch.hpp>
#define CRIA_CONTAINS Catch::Matchers::Contains
#endif

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <limits>
#include <optional>
#include <ranges>
#include <string>

#include "lib/base/check.hpp"
#include "lib/base/random.hpp"
#include "lib/base/real.hpp"
#include "lib/base/xtensor.hpp"

namespace cria::testing {

/// Ends a program that runs with CRIA_SIMD set to a target which this CPU lacks as "skipped" (CTest's
/// SKIP_RETURN_CODE).
bool end_without_target();
/// Here and not in a file of its own, as a linker takes of a library only what somebody asks for.
[[maybe_unused]] inline const bool has_target = end_without_target();

/// What tolerances are counted in.
inline constexpr double epsilon = std::numeric_limits<real>::epsilon();

/// Matches a string that has `part` in it: CHECK_THROWS_WITH(call(), contains("(3)")).
inline auto contains(const std::string& part) { return CRIA_CONTAINS(part); }

/// data/golden/<name>, a .npy file of any number type, as double. Fails the test when it is missing.
template <size_t N>
Array<double, N> golden(const std::string& name);

/// The golden rounded to `real`.
template <size_t N>
Array<real, N> golden_real(const std::string& name) {
  return xt::cast<real>(golden<N>(name));
}

template <class T>
concept HasShape = requires(T x) {
  x.shape();
};

/// Nothing when |actual - expected| <= tolerance everywhere, else one line with the first place that differs, both
/// values and the largest difference. NaN never agrees. Use: CHECK(difference(…) == "").
template <HasShape A, class E>
std::string difference(const A& actual, const E& expected, double tolerance);

/// The same of two spans or vectors, and of two numbers.
template <std::ranges::range A, class E>
requires(!HasShape<A>) std::string difference(const A& actual, const E& expected, double tolerance);
std::string difference(double actual, double expected, double tolerance);

/// A number to compare with a tolerance, which says where it comes from when the comparison fails.
struct RelativeError {
  double error = 0;
  std::string place;  // "first at (0, 3) of (5, 7): is 0.25, expected 0.5"; empty when nothing is off

  bool operator<(double tolerance) const { return error < tolerance; }
};
std::ostream& operator<<(std::ostream& out, const RelativeError& error);

/// The largest |actual - expected|, divided by the largest |expected|: the error that tolerances are chosen by.
template <class A, class E>
RelativeError relative_error(const A& actual, const E& expected);

/// Numbers from a normal distribution, the same on every machine.
template <size_t N>
Array<real, N> random_array(const Shape<N>& shape, std::uint64_t seed, double scale = 1) {
  Random random(seed);
  Array<real, N> out(shape);
  for (real& value : out) value = static_cast<real>(scale * random.normal());
  return out;
}

/// What a component is to write into: NaN, which shows where it does not.
template <size_t N>
Array<real, N> unwritten(const Shape<N>& shape) {
  return Array<real, N>(shape, std::numeric_limits<real>::quiet_NaN());
}

#ifdef CRIA_DOUBLE
/// Compares an analytic gradient with central differences of `loss` in each of `values` (at most `samples` of them,
/// spread evenly) and returns the largest error relative to the largest gradient entry. Only in the double build, where
/// the error is about 1e-10: in float, differences of a loss have too few digits left to say anything. A step is `part`
/// of a value, or of 1 where that is more: a loss that bends much within it needs a smaller one.
double gradient_error(std::span<real> values, std::span<const real> gradient, const std::function<double()>& loss,
                      size_t samples = 200, double part = 1e-3);
#endif

/// Says that the running test case cannot check anything here. It then counts as skipped, not as passed; to be followed
/// by a return. (Catch2 itself knows SKIP from version 3.3 on.)
void skip_test(const std::string& reason);

/// The folder of reference cases that the project does not ship: $CRIA_CASES, else ../shared/cases beside the source
/// tree. Empty when absent.
std::optional<std::filesystem::path> find_cases();
/// The same; where it is absent, the test that asked is skipped.
std::optional<std::filesystem::path> cases_folder();

/// A fresh folder that is removed at the end of the scope.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace cria::testing

#include "tests/testing.inl"
