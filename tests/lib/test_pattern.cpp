// What a learner reads about numbers that are wrong, and about an array that is wrong as a whole.
#include "tests/pattern.hpp"

#include "tests/testing.hpp"

using namespace cria::testing;

namespace {

const std::vector<double> expected = {1, -2, 4, 0.5, 7, -3, 9, 2, -6, 5, 11, 0.25};
const std::vector<size_t> shape = {4, 3};

/// The pattern of what `change(i)` gives in each place.
std::string seen(const std::function<double(size_t)>& change) {
  std::vector<double> actual(expected.size());
  for (size_t i = 0; i < actual.size(); ++i) actual[i] = change(i);
  return pattern(actual, expected, shape);
}

}  // namespace

TEST_CASE("two numbers, or two rows of them, are compared with both values told") {
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK(difference(0.5, 0.25, 0.3) == "");
  CHECK(difference(0.5, 0.25, 0.2) == "is 0.5, expected 0.25: they differ by 0.25, more than 0.2");
  CHECK(difference(infinity, infinity, 0) == "");
  CHECK(difference(std::nan(""), std::nan(""), infinity) != "");
  const std::vector<double> row = {1, 2, infinity}, wrong = {1, 3, infinity}, shorter = {1, 2};
  CHECK(difference(row, row, 0) == "");
  CHECK(difference(wrong, row, 0) ==
        "1 of 3 differ by more than 0, at most by 1; first at (1) of (3): is 3, expected 2");
  CHECK(difference(shorter, row, 0) == "there are 2 numbers, expected 3");
}

TEST_CASE("one NaN among right numbers is an error, wherever it stands") {
  const cria::Array<double, 1> right = {1, 2, 3};
  for (size_t i = 0; i < 3; ++i) {
    cria::Array<double, 1> wrong = right;
    wrong(i) = std::nan("");
    CAPTURE(i);
    CHECK_FALSE(relative_error(wrong, right) < 1);
    CHECK(difference(wrong, right, 1).find("1 of 3 differ by more than 1, at most by nan") == 0);
  }
}

TEST_CASE("a factor is recognised, and named by the axis that it may come from") {
  const auto times = [](double factor) { return seen([=](size_t i) { return factor * expected[i]; }); };
  CHECK(times(-1) == "yours is -1 times what is expected");
  CHECK(times(2) == "yours is 2 times what is expected");
  CHECK(times(0.5) == "yours is 1/2 times what is expected");
  CHECK(times(1.0 / 3) == "yours is 1/3 times what is expected");
  CHECK(times(std::sqrt(3.0)) == "yours is √3 times what is expected");
  CHECK(times(0.3) == "yours is 0.3 times what is expected");
  CHECK(times(0) == "all of yours are 0");
  CHECK(times(1) == "");
}

TEST_CASE("numbers in the wrong place are recognised") {
  CHECK(seen([](size_t i) { return i + 3 < 12 ? expected[i + 3] : 0; }) ==
        "row n of yours is what belongs to row n + 1");
  CHECK(seen([](size_t i) { return i < 3 ? expected[i] : expected[i - 3]; }) ==
        "row n of yours is what belongs to row n - 1");
  CHECK(seen([](size_t i) { return i % 3 < 2 ? expected[i + 1] : 0; }) ==
        "within each row, yours is one place too far to the left");
  CHECK(seen([](size_t i) { return expected[i % 4 * 3 + i / 4]; }) == "yours is the transpose of what is expected");
  CHECK(seen([](size_t i) { return i < 9 ? 1 : expected[i]; }) == "only row 3 is right");
  CHECK(seen([](size_t i) { return i / 3 == 1 ? 1 : expected[i]; }) == "only row 1 is wrong");
}

TEST_CASE("signs, offsets and what was never written are recognised, and anything else is not") {
  CHECK(seen([](size_t i) { return std::abs(expected[i]); }) == "right but for the sign of some");
  CHECK(seen([](size_t i) { return expected[i] - 0.75; }) == "yours is 0.75 less than expected everywhere");
  CHECK(seen([](size_t i) { return i < 2 ? std::nan("") : expected[i]; }) ==
        "2 of your 12 numbers are NaN, as if nothing was written there");
  CHECK(seen([](size_t) { return std::nan(""); }) == "all of yours are NaN, as if nothing was written");
  CHECK(seen([](size_t i) { return expected[i] * double(i); }) == "");
  CHECK(pattern({2}, {1}, {1}) == "");  // one number is any multiple of another
}
