#include "tests/testing.hpp"

#include <cstdlib>
#include <limits>
#include <ostream>

#include "lib/formats/npy.hpp"
#include "lib/simd/primitives.hpp"
#include "tests/pattern.hpp"

namespace cria::testing {
namespace {

// "first at (0, 3) of (5, 7): is 0.25, expected 0.5"
std::string describe_place(const std::vector<double>& actual, const std::vector<double>& expected,
                           const std::vector<size_t>& shape, size_t place) {
  std::vector<size_t> index(shape.size());
  size_t rest = place;
  for (size_t axis = shape.size(); axis-- > 0; rest /= shape[axis]) index[axis] = rest % shape[axis];
  return fmt::format("first at {} of {}: is {:.9g}, expected {:.9g}", shape_text(index), shape_text(shape),
                     actual[place], expected[place]);
}

// 0 between equal numbers, infinities too.
double distance(double a, double b) { return a == b ? 0 : std::abs(a - b); }

// `largest` becomes the larger of the two. A NaN is larger than any number, and stays.
void raise(double& largest, double value) {
  if (!(value <= largest) && !std::isnan(largest)) largest = value;
}

// "; pattern: yours is -1 times what is expected", or nothing. `cria learn` tells it apart by these words.
std::string describe_pattern(const std::vector<double>& actual, const std::vector<double>& expected,
                             const std::vector<size_t>& shape) {
  const std::string found = pattern(actual, expected, shape);
  return found.empty() ? "" : "; pattern: " + found;
}

}  // namespace

bool end_without_target() {
  const char* wanted = std::getenv("CRIA_SIMD");
  if (wanted && !simd::target_available(wanted)) {
    fmt::print("skipped: this CPU cannot run the SIMD target {}\n", wanted);
    std::fflush(stdout);
    std::_Exit(77);
  }
  return true;
}

NpyValues read_golden(const std::string& name) {
  NpyArray npy = read_npy(std::filesystem::path(CRIA_GOLDEN_FOLDER) / name);
  // CRIA_SPOIL_GOLDEN=1.1:03-rmsnorm/c7_y.npy scales that golden, to prove that a test notices (spoil_goldens.py).
  const std::string spoil = std::getenv("CRIA_SPOIL_GOLDEN") ? std::getenv("CRIA_SPOIL_GOLDEN") : "";
  if (const size_t colon = spoil.find(':'); colon != std::string::npos && spoil.substr(colon + 1) == name)
    for (double& value : npy.values) value *= std::stod(spoil);
  return {npy.shape, npy.values};
}

std::string describe_difference(const std::vector<double>& actual, const std::vector<double>& expected,
                                const std::vector<size_t>& shape, double tolerance) {
  double largest = 0;
  size_t first = actual.size(), differing = 0;
  for (size_t i = 0; i < actual.size(); ++i) {
    const double gap = distance(actual[i], expected[i]);
    if (!(gap <= tolerance)) {
      if (first == actual.size()) first = i;
      ++differing;
    }
    raise(largest, gap);
  }
  if (differing == 0) return "";
  return fmt::format("{} of {} differ by more than {:.3g}, at most by {:.3g}; {}", differing, actual.size(), tolerance,
                     largest, describe_place(actual, expected, shape, first)) +
         describe_pattern(actual, expected, shape);
}

std::string difference(double actual, double expected, double tolerance) {
  const double gap = distance(actual, expected);
  if (gap <= tolerance) return "";
  return fmt::format("is {:.9g}, expected {:.9g}: they differ by {:.3g}, more than {:.3g}", actual, expected, gap,
                     tolerance);
}

RelativeError relative_error_of(const std::vector<double>& actual, const std::vector<double>& expected,
                                const std::vector<size_t>& shape) {
  if (actual.size() != expected.size())
    return {std::numeric_limits<double>::infinity(),
            fmt::format("there are {} numbers, expected {}", actual.size(), expected.size())};
  double gap = 0, largest = 0;
  for (size_t i = 0; i < actual.size(); ++i) {
    const double here = std::abs(actual[i] - expected[i]);
    raise(gap, here);
    largest = std::max(largest, std::abs(expected[i]));
  }
  // What rounding explains is not where it went wrong, unless there is nothing more.
  const double rounding = std::min(1e4 * double(std::numeric_limits<real>::epsilon()) * largest, gap / 2);
  for (size_t i = 0; i < actual.size(); ++i)
    if (!(std::abs(actual[i] - expected[i]) <= rounding))
      return {gap / largest, describe_place(actual, expected, shape, i) + describe_pattern(actual, expected, shape)};
  return {gap / largest, ""};
}

std::ostream& operator<<(std::ostream& out, const RelativeError& error) {
  out << fmt::format("{:.3g}", error.error);
  return error.place.empty() ? out : out << " (" << error.place << ")";
}

#ifdef CRIA_DOUBLE
double gradient_error(std::span<real> values, std::span<const real> gradient, const std::function<double()>& loss,
                      size_t samples, double part) {
  double error = 0, largest = 0;
  for (real g : gradient) largest = std::max(largest, std::abs(g));
  const size_t stride = std::max<size_t>(1, values.size() / samples);
  for (size_t i = 0; i < values.size(); i += stride) {
    // Fourth-order central differences: with a step of 1e-3 both the truncation and the rounding error are near 1e-11.
    const double value = values[i], step = part * std::max(1.0, std::abs(value));
    const auto at = [&](double offset) {
      values[i] = value + offset * step;
      return loss();
    };
    const double slope = (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * step);
    values[i] = value;
    raise(error, std::abs(slope - gradient[i]));
  }
  return error / largest;
}
#endif

static std::filesystem::path cases_path() {
  const char* folder = std::getenv("CRIA_CASES");
  return folder ? folder : CRIA_DEFAULT_CASES;
}

std::optional<std::filesystem::path> find_cases() {
  if (std::filesystem::exists(cases_path() / "README.md")) return cases_path();
  return std::nullopt;
}

std::optional<std::filesystem::path> cases_folder() {
  const auto folder = find_cases();
  if (!folder) skip_test("the reference cases are not here; CRIA_CASES names their folder");
  return folder;
}

// Catch2 counts such a test as passed; the script `cria` takes the lines printed here off that count.
void skip_test(const std::string& reason) {
  fmt::print("skipped [{}]: {}\n", std::string(Catch::getResultCapture().getCurrentTestName()), reason);
  std::fflush(stdout);
}

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / ("cria-test-" + std::string(6, 'X'))).string();
  require(::mkdtemp(pattern.data()) != nullptr, "TemporaryFolder", "cannot make a folder");
  path_ = pattern;
}
TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace cria::testing
