#include "chapters/17-rejection-sampling/best_of.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "lib/base/check.hpp"

namespace cria {
namespace {

void require_probability(double p) { require(p >= 0 && p <= 1, "best_of", "a probability is not in 0 … 1"); }
void require_some(size_t n) { require(n > 0, "best_of", "the best of no answers"); }

/// x log(x / y), which is 0 for x = 0.
double weighted_log_ratio(double x, double y) { return x == 0 ? 0 : x * std::log(x / y); }

}  // namespace

double best_of_success(double p, size_t n) {
  require_probability(p);
  require_some(n);
  // solution: best_of_success
  return -std::expm1(double(n) * std::log1p(-p));  // 1 - (1 - p)^n, also where p is smaller than 1's rounding
  // end of solution
}

double bernoulli_divergence(double q, double p) {
  require_probability(q);
  require_probability(p);
  // solution: bernoulli_divergence
  return weighted_log_ratio(q, p) + weighted_log_ratio(1 - q, 1 - p);
  // end of solution
}

double best_of_divergence(double p, size_t n) { return bernoulli_divergence(best_of_success(p, n), p); }

double best_of_divergence_bound(size_t n) {
  require_some(n);
  return std::log(double(n)) - double(n - 1) / double(n);
}

double expected_best(std::span<const double> rewards, size_t n) {
  require_some(n);
  require(n <= rewards.size(), "expected_best", "there are fewer rewards than the best is of");
  require(std::ranges::none_of(rewards, [](double r) { return std::isnan(r); }), "expected_best", "a reward is NaN");
  std::vector<double> sorted(rewards.begin(), rewards.end());
  std::ranges::sort(sorted);
  double mean = 0;
  // solution: expected_best
  // Of the ways to choose n of k, C(i, n - 1) have sorted[i] for their largest. Its share of all C(k, n) begins at n /
  // k for the last one, and each before it has (i - n + 1) / i of the one behind.
  double share = double(n) / double(sorted.size());
  for (size_t i = sorted.size(); i-- + 1 > n;) {
    mean += share * sorted[i];
    if (i > 0) share *= double(i - n + 1) / double(i);
  }
  // end of solution
  return mean;
}

}  // namespace cria
