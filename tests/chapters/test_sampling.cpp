// The distribution that is drawn from: the filters by hand, a plain second implementation, refusals.
#include "chapters/09-sampling/sampling.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "tests/chapters/logits.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

std::vector<real> logits_of(const std::vector<double>& probabilities) {
  std::vector<real> logits;
  for (const double p : probabilities) logits.push_back(static_cast<real>(std::log(p)));
  return logits;
}

// The same filters the plain way: everything in double and sorted, tokens struck out one filter after the other.
std::vector<double> sorted_reference(const SamplingOptions& options, const std::vector<real>& logits) {
  std::vector<double> p(logits.begin(), logits.end());
  const double largest = *std::ranges::max_element(p);
  for (double& value : p) value = std::exp((value - largest) / options.temperature);
  std::vector<size_t> order(p.size());
  std::iota(order.begin(), order.end(), size_t(0));
  std::ranges::stable_sort(order, [&](size_t a, size_t b) { return p[a] > p[b]; });
  const auto normalise = [&] {
    const double sum = std::accumulate(p.begin(), p.end(), 0.0);
    for (double& value : p) value /= sum;
  };
  const auto keep = [&](size_t count) {
    for (size_t i = count; i < order.size(); ++i) p[order[i]] = 0;
    normalise();
  };
  normalise();
  if (options.top_k > 0) keep(static_cast<size_t>(options.top_k));
  double before = 0;
  size_t count = 0;
  while (count < order.size() && before < options.top_p) before += p[order[count++]];
  if (options.top_p < 1) keep(count);
  for (double& value : p)
    if (value < options.min_p * p[order[0]]) value = 0;
  normalise();
  return p;
}

}  // namespace

TEST_CASE("each filter does to five tokens what the lesson works out by hand") {
  const std::vector<real> logits = logits_of({0.1, 0.5, 0.05, 0.2, 0.15});
  // Measured: 6e-8 in float. What the lesson prints is rounded to 4 digits.
  const auto close = [&](const SamplingOptions& options, const std::vector<double>& expected) {
    CHECK(difference(distribution(options, logits), expected, 5e-5) == "");
  };
  close({}, {0.1, 0.5, 0.05, 0.2, 0.15});
  close({.temperature = 0.5}, {0.0308, 0.7692, 0.0077, 0.1231, 0.0692});
  close({.temperature = 0}, {0, 1, 0, 0, 0});
  close({.top_k = 2}, {0, 0.7143, 0, 0.2857, 0});
  close({.top_p = 0.75}, {0, 0.5882, 0, 0.2353, 0.1765});  // the token that crosses p stays
  close({.min_p = 0.25}, {0, 0.5882, 0, 0.2353, 0.1765});
  // Top-p sees what top-k has left: 0.7143 reaches 0.7 alone. Of all five it would take two.
  close({.top_k = 2, .top_p = 0.7}, {0, 1, 0, 0, 0});
}

TEST_CASE("the repetition penalty divides positive and multiplies negative logits, once a token") {
  const std::vector<real> logits{2, -1, 0, 2};
  const std::vector<real> penalised{1, -2, 0, 2};
  CHECK(distribution({.repetition_penalty = 2}, logits, {0, 1, 2, 0, 0}) == distribution({}, penalised));
  CHECK(distribution({.temperature = 0, .repetition_penalty = 2}, logits, {0}) == std::vector<double>{0, 0, 0, 1});
  CHECK(distribution({.temperature = 0, .repetition_penalty = 2}, logits) == std::vector<double>{1, 0, 0, 0});
}

TEST_CASE("the distribution is that of sorting everything and striking out, for flat and for peaked logits") {
  std::uint64_t seed = 0;
  for (const double scale : {0.1, 1.0, 4.0})
    for (const std::int32_t top_k : {0, 1, 40, 5000})
      for (const double top_p : {1.0, 0.9, 0.3, 1e-6})
        for (const double min_p : {0.0, 0.05, 1.0}) {
          const SamplingOptions options{.temperature = 0.8, .top_k = top_k, .top_p = top_p, .min_p = min_p};
          const std::vector<real> logits = random_logits(3001, ++seed, scale);
          INFO("scale " << scale << " top-k " << top_k << " top-p " << top_p << " min-p " << min_p);
          const auto actual = distribution(options, logits), expected = sorted_reference(options, logits);
          // Measured in float, where the same tokens are kept: 2.7e-7, and 1.04e-6 with the portable softmax, which
          // adds 3001 numbers up one by one.
          CHECK(difference(actual, expected, 4e-6) == "");
          CHECK(std::ranges::count(actual, 0.0) == std::ranges::count(expected, 0.0));
        }
}

TEST_CASE("options out of range are refused with what was expected") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto refused = [](const SamplingOptions& options, const std::string& message) {
    CHECK_THROWS_AS(Sampler(options, 8), UserError);
    CHECK_THROWS_WITH(Sampler(options, 8), message);
  };
  refused({.temperature = -0.5}, "temperature is -0.5, expected 0 (greedy) or more");
  refused({.temperature = nan}, "temperature is nan, expected 0 (greedy) or more");
  refused({.top_k = -1}, "top-k is -1, expected a number of tokens, or 0 for all");
  refused({.top_p = 0}, "top-p is 0, expected more than 0 and at most 1");
  refused({.top_p = 1.5}, "top-p is 1.5, expected more than 0 and at most 1");
  refused({.min_p = -0.1}, "min-p is -0.1, expected 0 to 1");
  refused({.repetition_penalty = 0}, "repetition-penalty is 0, expected more than 0; 1 is none");
  if (sizeof(real) == 4)  // which has no such small number
    refused({.repetition_penalty = 1e-50}, "repetition-penalty is 1e-50, expected more than 0; 1 is none");
  refused({.seed = 0, .raw_seed = true},
          "seed is 0, expected another: the generator cannot start from the raw state 0");
}

TEST_CASE("logits that allow no choice are refused") {
  for (const SamplingOptions& options :
       {SamplingOptions{}, SamplingOptions{.temperature = 0}, SamplingOptions{.top_p = 0.9}})
    for (const std::vector<real>& logits :
         {std::vector<real>{0, std::numeric_limits<real>::quiet_NaN(), 1},
          std::vector<real>{-infinity, -infinity, -infinity}, std::vector<real>{0, infinity, 0}})
      CHECK_THROWS_WITH(Sampler(options, 3).sample(as_view(logits)), contains("the logits are NaN or infinite"));
}

TEST_CASE("wrong shapes and token ids are contract errors") {
  const std::vector<real> logits(3);
  CHECK_THROWS_WITH(Sampler({}, 4).sample(as_view(logits)), "Sampler: logits has shape (3), expected (4)");
  CHECK_THROWS_AS(Sampler({}, 0), ContractError);
  for (const std::int32_t token : {-1, 3})
    CHECK_THROWS_AS(Sampler({.repetition_penalty = 1.1}, 3).sample(as_view(logits), std::span(&token, 1)),
                    ContractError);
}
