#include "chapters/18-ppo/group_advantages.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "lib/base/check.hpp"

namespace cria {
namespace {

void require_groups(std::span<const double> scores, std::size_t group) {
  require(group >= 2 && scores.size() % group == 0, "group_advantages", "needs whole groups of at least 2 scores");
}

}  // namespace

std::vector<double> group_advantages(std::span<const double> scores, std::size_t group, const GroupOptions& options) {
  require_groups(scores, group);
  std::vector<double> advantages(scores.begin(), scores.end());
  for (std::size_t first = 0; first < scores.size(); first += group) {
    const std::span<double> own = std::span(advantages).subspan(first, group);
    // solution: group_advantages
    const double n = double(group), mean = std::accumulate(own.begin(), own.end(), 0.0) / n;
    double squares = 0;
    for (double& a : own) a -= mean, squares += a * a;
    const double deviation = std::sqrt(squares / (options.bessel ? n - 1 : n));
    if (options.divide_by_std)
      for (double& a : own) a /= deviation + options.eps;
    // end of solution
  }
  return advantages;
}

double share_without_spread(std::span<const double> scores, std::size_t group) {
  require_groups(scores, group);
  double count = 0;
  for (std::size_t first = 0; first < scores.size(); first += group) {
    const auto [least, most] = std::ranges::minmax(scores.subspan(first, group));
    count += least == most ? 1 : 0;
  }
  return scores.empty() ? 0 : count * double(group) / double(scores.size());
}

}  // namespace cria
