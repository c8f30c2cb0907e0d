#include "chapters/18-ppo/whitening.hpp"

#include <cmath>
#include <numeric>
#include <vector>

#include "lib/base/check.hpp"

namespace cria {

void whiten(std::span<double> numbers, const Whitening& options) {
  const double n = double(numbers.size());
  if (numbers.empty()) return;
  // solution: whiten
  const double mean = std::accumulate(numbers.begin(), numbers.end(), 0.0) / n;
  double squares = 0;
  for (const double x : numbers) squares += (x - mean) * (x - mean);
  const double variance = squares / (options.bessel && n > 1 ? n - 1 : n);
  for (double& x : numbers) x = (x - mean) / std::sqrt(variance + options.eps) + (options.shift_mean ? 0 : mean);
  // end of solution
}

void whiten(View<double, 2> numbers, std::span<const Range> answers, const Whitening& options) {
  require(answers.size() == numbers.shape(0), "whiten", "needs one range for each row");
  std::vector<double> together;
  // solution: whiten_answers
  for (size_t b = 0; b < answers.size(); ++b)
    for (size_t t = answers[b].begin; t < answers[b].end; ++t) together.push_back(numbers(b, t));
  whiten(together, options);
  auto next = together.begin();
  for (size_t b = 0; b < answers.size(); ++b)
    for (size_t t = answers[b].begin; t < answers[b].end; ++t) numbers(b, t) = *next++;
  // end of solution
}

}  // namespace cria
