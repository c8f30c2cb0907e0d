// Drawing a token: as often as the distribution says, the same for the same seed, without memory.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "chapters/09-sampling/sampling.hpp"
#include "tests/allocations.hpp"
#include "tests/chapters/logits.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

TEST_CASE("tokens are drawn as often as the distribution says, within 4 standard errors") {
  const std::vector<real> logits = random_logits(600, 3, 2);
  constexpr int draws = 20000;
  for (const SamplingOptions options :
       {SamplingOptions{.temperature = 1.2, .seed = 5}, SamplingOptions{.top_k = 50, .top_p = 0.95, .seed = 6},
        SamplingOptions{.min_p = 0.02, .repetition_penalty = 1.3, .seed = 7}}) {
    const std::vector<std::int32_t> recent{1, 2, 3};
    const auto p = distribution(options, logits, recent);
    std::vector<int> counts(logits.size());
    Sampler sampler(options, logits.size());
    for (int i = 0; i < draws; ++i) ++counts[static_cast<size_t>(sampler.sample(as_view(logits), recent))];
    int outside = 0;
    for (size_t i = 0; i < p.size(); ++i) {
      if (p[i] == 0) REQUIRE(counts[i] == 0);
      if (p[i] * draws < 10) continue;  // too few to be near a normal distribution
      outside += std::abs(counts[i] - draws * p[i]) > 4 * std::sqrt(draws * p[i] * (1 - p[i]));
    }
    CHECK(outside == 0);
  }
}

TEST_CASE("the same seed draws the same tokens, another seed others") {
  const std::vector<real> logits = random_logits(1000, 9, 1);
  const auto draw = [&](SamplingOptions options, std::uint64_t seed) {
    options.seed = seed;
    Sampler sampler(options, logits.size());
    std::vector<std::int32_t> tokens(50);
    for (auto& token : tokens) token = sampler.sample(as_view(logits));
    return tokens;
  };
  for (const SamplingOptions& options : {SamplingOptions{}, SamplingOptions{.top_p = 0.9}}) {
    CHECK(draw(options, 1) == draw(options, 1));
    CHECK(draw(options, 1) != draw(options, 2));
  }
  CHECK(draw({.temperature = 0}, 1) == draw({.temperature = 0}, 2));
}

TEST_CASE("with a raw seed, top-p makes llama2.c's choices") {
  // Its procedure, in float: sort descending, cut where the sum is more than p, and find coin * sum in what is left.
  std::uint64_t state = 133742;
  const auto coin = [&state] {
    state ^= state >> 12, state ^= state << 25, state ^= state >> 27;
    return static_cast<float>(static_cast<std::uint32_t>((state * 0x2545F4914F6CDD1Du) >> 32) >> 8) / 16777216.0f;
  };
  Sampler sampler({.top_p = 0.9, .seed = 133742, .raw_seed = true}, 512);
  for (std::uint64_t step = 0; step < 1000; ++step) {
    const std::vector<real> logits = random_logits(512, 100 + step, 3);
    std::vector<std::pair<float, std::int32_t>> order;
    const auto p = distribution({}, logits);
    for (size_t i = 0; i < p.size(); ++i) order.emplace_back(static_cast<float>(p[i]), static_cast<std::int32_t>(i));
    std::ranges::stable_sort(order, std::greater<>(), [](const auto& entry) { return entry.first; });
    float sum = 0, before = 0;
    size_t last = 0, chosen = 0;
    while ((sum += order[last].first) <= 0.9f) ++last;
    const float target = coin() * sum;
    while (chosen < last && (before += order[chosen].first) <= target) ++chosen;
    REQUIRE(sampler.sample(as_view(logits)) == order[chosen].second);
  }
}

TEST_CASE("of equal logits the first is taken, and impossible tokens never are") {
  const std::vector<real> equal(2000, real(0.5));
  CHECK(Sampler({.temperature = 0}, 2000).sample(as_view(equal)) == 0);
  CHECK(Sampler({.top_k = 1}, 2000).sample(as_view(equal)) == 0);
  CHECK(Sampler({.top_p = 1e-9}, 2000).sample(as_view(equal)) == 0);
  CHECK(std::ranges::count(distribution({.top_k = 7}, equal), 0.0) == 2000 - 7);
  std::vector<real> masked(2000, -infinity);
  masked[1234] = -50;
  for (const SamplingOptions& options :
       {SamplingOptions{}, SamplingOptions{.temperature = 0}, SamplingOptions{.top_k = 5},
        SamplingOptions{.top_p = 0.5}, SamplingOptions{.min_p = 0.1}})
    CHECK(Sampler(options, 2000).sample(as_view(masked)) == 1234);
  CHECK(Sampler({.top_p = 0.9}, 1).sample(as_view({3})) == 0);
}

TEST_CASE("a coin of exactly 0 draws what the filters have left, too") {
  constexpr std::uint64_t state = 10158586597632262174u;  // one in 2^24 begins so
  REQUIRE(Random::from_state(state).uniform() == 0);
  const std::vector<real> logits{-3, -2, 1, 3, 2};
  for (const SamplingOptions& options :
       {SamplingOptions{.top_k = 2}, SamplingOptions{.top_p = 0.9}, SamplingOptions{.min_p = 0.3}}) {
    SamplingOptions with_seed = options;
    with_seed.seed = state, with_seed.raw_seed = true;
    CHECK(Sampler(with_seed, 5).sample(as_view(logits)) == 3);  // the first in descending order
  }
}

TEST_CASE("drawing allocates nothing") {
  const std::vector<real> logits = random_logits(5000, 1, 1), equal(5000);
  const std::vector<std::int32_t> recent{4, 5};
  for (const SamplingOptions& options : {SamplingOptions{}, SamplingOptions{.temperature = 0},
                                         SamplingOptions{.top_k = 40, .top_p = 0.9, .min_p = 0.1}}) {
    Sampler sampler(options, logits.size());
    const size_t before = allocations();
    for (int i = 0; i < 10; ++i) sampler.sample(as_view(logits), recent);
    sampler.sample(as_view(equal), recent);
    CHECK(allocations() == before);
  }
}
