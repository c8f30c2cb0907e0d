// Chapter 20, on the 245 points that Besiroglu et al. 2024 (arXiv:2404.10102) read from a figure of Hoffmann et al.
// 2022. Their repository, github.com/epoch-research/analyzing-chinchilla, has no licence, so the points are not here:
// CRIA_CHINCHILLA names its data/svg_extracted_data.csv.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <sstream>

#include "chapters/20-scaling-laws/bootstrap.hpp"
#include "lib/base/file.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

std::optional<std::filesystem::path> points_file() {
  if (const char* file = std::getenv("CRIA_CHINCHILLA")) return file;
  const auto cases = find_cases();
  const auto file = cases ? *cases / "scaling" / "svg_extracted_data.csv" : std::filesystem::path();
  return cases && std::filesystem::exists(file) ? std::optional(file) : std::nullopt;
}

/// "x,y,color,Model Size,Training FLOP,hex_color,loss", a run each. Tokens are what 6 N D leaves.
std::vector<ScalingRun> read_points(const std::filesystem::path& file) {
  std::istringstream lines(read_file(file));
  std::string line;
  std::getline(lines, line);
  REQUIRE(line.starts_with("x,y,color,Model Size,Training FLOP,hex_color,loss"));
  std::vector<ScalingRun> runs;
  while (std::getline(lines, line)) {
    std::vector<std::string> cells;
    std::istringstream row(line);
    for (std::string cell; std::getline(row, cell, ',');) cells.push_back(cell);
    if (cells.size() != 7 || cells[3].empty() || cells[4].empty() || cells[6].empty()) continue;
    const double parameters = std::stod(cells[3]), operations = std::stod(cells[4]);
    runs.push_back({parameters, operations / (6 * parameters), operations, std::stod(cells[6])});
  }
  return runs;
}

}  // namespace

TEST_CASE("the published points give the published surface") {
  const auto file = points_file();
  if (!file) return skip_test("CRIA_CHINCHILLA names no svg_extracted_data.csv of epoch-research/analyzing-chinchilla");
  std::vector<ScalingRun> runs = read_points(*file);
  REQUIRE(runs.size() == 245);
  // The five with the highest losses, early in training, are left out as there.
  std::ranges::sort(runs, {}, &ScalingRun::loss);
  runs.resize(240);
  const SurfaceFit fit = fit_surface(runs);
  CAPTURE(fit.objective, fit.starts, fit.agreeing);
  const auto& [A, B, E, alpha, beta] = fit.surface;
  CAPTURE(A, B, E, alpha, beta);
  CHECK(fit.objective <= 0.0010182740346);
  CHECK(std::abs(A - 477.84) < 0.5);
  CHECK(std::abs(B - 2143) < 5);
  CHECK(std::abs(E - 1.8172) < 1e-4);
  CHECK(std::abs(alpha - 0.3473) < 1e-4);
  CHECK(std::abs(beta - 0.3672) < 1e-4);
  CHECK(std::abs(fit.surface.size_exponent() - 0.5139) < 1e-4);

  // Theirs, of 4000 draws, is 0.020. Of 100 a standard deviation is off by 7 %, and the mean by 0.002.
  double mean = 0, squares = 0;
  for (const LossSurface& surface : bootstrap_surfaces(runs, fit, 100, 1)) {
    const double a = surface.size_exponent();
    mean += a / 100, squares += a * a / 100;
  }
  const double deviation = std::sqrt(squares - mean * mean);
  CAPTURE(mean, deviation);
  CHECK(std::abs(mean - 0.5139) < 0.006);
  CHECK(std::abs(deviation - 0.020) < 0.004);
}
