// Chapter 17: the frontier of best-of-n against direct counts, and rounds of rejection sampling.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "chapters/17-rejection-sampling/best_of.hpp"
#include "chapters/17-rejection-sampling/rejection.hpp"
#include "lib/base/random.hpp"
#include "tests/chapters/talkative_llama.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

/// All 2^n outcomes of n answers, each right with probability p: the best of them, by counting.
double counted_success(double p, size_t n) {
  double success = 0;
  for (size_t outcome = 1; outcome < size_t{1} << n; ++outcome) {
    double probability = 1;
    for (size_t i = 0; i < n; ++i) probability *= outcome >> i & 1 ? p : 1 - p;
    success += probability;
  }
  return success;
}

/// KL of the best of n, of equally good ones the first, from a base with these probabilities and rewards: by going
/// through all n-tuples.
double counted_divergence(const std::vector<double>& base, const std::vector<double>& rewards, size_t n) {
  std::vector<double> best(base.size(), 0);
  std::vector<size_t> drawn(n, 0);
  for (;;) {
    double probability = 1;
    size_t at = 0;
    for (size_t i = 0; i < n; ++i) {
      probability *= base[drawn[i]];
      if (rewards[drawn[i]] > rewards[drawn[at]]) at = i;
    }
    best[drawn[at]] += probability;
    size_t digit = 0;
    while (digit < n && ++drawn[digit] == base.size()) drawn[digit++] = 0;
    if (digit == n) break;
  }
  double divergence = 0;
  for (size_t i = 0; i < base.size(); ++i)
    if (best[i] > 0) divergence += best[i] * std::log(best[i] / base[i]);
  return divergence;
}

/// The mean largest of all subsets of n.
double counted_best(const std::vector<double>& rewards, size_t n) {
  double sum = 0;
  size_t count = 0;
  for (size_t subset = 0; subset < size_t{1} << rewards.size(); ++subset) {
    double largest = -1e300;
    size_t size = 0;
    for (size_t i = 0; i < rewards.size(); ++i)
      if (subset >> i & 1) largest = std::max(largest, rewards[i]), ++size;
    if (size == n) sum += largest, ++count;
  }
  return sum / double(count);
}

/// How many bytes of an answer are even.
double evens(const FinishedText& answer) {
  return double(std::ranges::count_if(answer.result.tokens, [](TokenId token) { return token % 2 == 0; }));
}

}  // namespace

TEST_CASE("best of n: the example of the lesson, worked by hand") {
  CHECK(std::abs(best_of_success(0.5, 2) - 0.75) < 1e-15);
  CHECK(std::abs(bernoulli_divergence(0.75, 0.5) - (0.75 * std::log(1.5) + 0.25 * std::log(0.5))) < 1e-15);
  CHECK(std::abs(best_of_divergence(0.5, 2) - 0.13081203594113697) < 1e-15);
  CHECK(std::abs(best_of_divergence_bound(2) - (std::log(2.) - 0.5)) < 1e-15);
  // Of 1, 2 and 4 there are three pairs, whose largest are 2, 4 and 4.
  CHECK(std::abs(expected_best(std::vector<double>{2, 1, 4}, 2) - 10. / 3) < 1e-15);
}

TEST_CASE("best of n succeeds as often as counting all outcomes says") {
  for (const double p : {0., 1e-3, 0.295, 0.5, 0.9, 1.})
    for (size_t n = 1; n <= 10; ++n) {
      CAPTURE(p, n);
      CHECK(std::abs(best_of_success(p, n) - counted_success(p, n)) < 1e-14);
    }
  // 1 - (1 - p)^n as it stands would be 0: 1 - 1e-18 is 1.
  CHECK(std::abs(best_of_success(1e-18, 5) / 5e-18 - 1) < 1e-12);
}

TEST_CASE("best of n lies on the frontier, for whatever answers a reward of 0 or 1 is given") {
  const std::vector<double> base = {0.1, 0.25, 0.3, 0.05, 0.3}, rewards = {1, 0, 0, 1, 1};
  for (size_t n = 1; n <= 6; ++n) {
    CAPTURE(n);
    CHECK(std::abs(best_of_divergence(0.45, n) - counted_divergence(base, rewards, n)) < 1e-13);
  }
  // For a success rate of 0.295, the shipped model's after a minute's training.
  CHECK(std::abs(best_of_success(0.295, 4) - 0.753) < 5e-4);
  CHECK(std::abs(best_of_divergence(0.295, 4) - 0.447) < 5e-4);
  CHECK(std::abs(best_of_success(0.295, 16) - 0.996) < 5e-4);
  CHECK(std::abs(best_of_divergence(0.295, 16) - 1.193) < 5e-4);
}

TEST_CASE("the bound is one, which rewards that all differ come near and equal ones stay far below") {
  // Many answers of the same probability and different rewards: nearly continuous.
  const size_t many = 400;
  std::vector<double> base(many, 1. / many), rewards(many);
  std::iota(rewards.begin(), rewards.end(), 0.);
  const double counted = counted_divergence(base, rewards, 2), bound = best_of_divergence_bound(2);
  CHECK(counted <= bound);
  CHECK(bound - counted < 0.01 * bound);
  for (const double p : {0.01, 0.295, 0.9})
    for (size_t n = 1; n <= 64; n *= 2) {
      CAPTURE(p, n);
      CHECK(best_of_divergence(p, n) <= best_of_divergence_bound(n) + 1e-15);
    }
  CHECK(best_of_divergence_bound(1) == 0);
}

TEST_CASE("divergence is 0 only where nothing changes, and no policy of the same success is nearer") {
  CHECK(bernoulli_divergence(0.3, 0.3) == 0);
  CHECK(bernoulli_divergence(0, 0) == 0);
  CHECK(bernoulli_divergence(1, 1) == 0);
  CHECK(std::abs(bernoulli_divergence(1, 0.25) - std::log(4.)) < 1e-15);
  CHECK(std::isinf(bernoulli_divergence(0.5, 0)));
  CHECK(std::isinf(bernoulli_divergence(0.5, 1)));
  // Any distribution over five answers that succeeds with probability q diverges at least so far.
  const std::vector<double> base = {0.1, 0.25, 0.3, 0.05, 0.3};  // the first, fourth and fifth are right: p = 0.45
  Random random(4);
  for (int i = 0; i < 1000; ++i) {
    std::vector<double> policy(5);
    double sum = 0;
    for (double& x : policy) sum += x = random.uniform() + 1e-9;
    double divergence = 0;
    for (size_t j = 0; j < 5; ++j) divergence += policy[j] / sum * std::log(policy[j] / sum / base[j]);
    const double q = (policy[0] + policy[3] + policy[4]) / sum;
    CHECK(divergence >= bernoulli_divergence(q, 0.45) - 1e-12);
  }
}

TEST_CASE("the mean of the best of n is that over all subsets, in any order of the rewards") {
  Random random(5);
  for (size_t k = 1; k <= 9; ++k) {
    std::vector<double> rewards(k);
    for (double& r : rewards) r = double(random.below(4)) - 1;  // some are equal
    for (size_t n = 1; n <= k; ++n) {
      CAPTURE(k, n);
      CHECK(std::abs(expected_best(rewards, n) - counted_best(rewards, n)) < 1e-13);
    }
  }
  // Of many right and wrong answers it comes near 1 - (1 - p)^n.
  std::vector<double> half(1000);
  for (size_t i = 0; i < half.size(); ++i) half[i] = double(i % 2);
  CHECK(std::abs(expected_best(half, 4) - best_of_success(0.5, 4)) < 1e-3);
}

TEST_CASE("best of n refuses what is no probability, no answers, and rewards that are NaN") {
  CHECK_THROWS_AS(best_of_success(1.5, 2), ContractError);
  CHECK_THROWS_AS(best_of_success(0.5, 0), ContractError);
  CHECK_THROWS_AS(bernoulli_divergence(NAN, 0.5), ContractError);
  CHECK_THROWS_AS(best_of_divergence_bound(0), ContractError);
  CHECK_THROWS_AS(expected_best(std::vector<double>{1, 2}, 3), ContractError);
  CHECK_THROWS_AS(expected_best(std::vector<double>{1, NAN}, 1), ContractError);
}

TEST_CASE("the best answer of all rounds is kept, and of equally good ones the first") {
  BestAnswers best(3);
  const auto answer = [](double reward, size_t round) { return Answer{{1, 2}, "text", true, reward, round}; };
  CHECK(best.offer(1, answer(-2, 0)));
  CHECK(!best.offer(1, answer(-3, 0)));
  CHECK(best.offer(1, answer(5, 1)));
  CHECK(!best.offer(1, answer(5, 2)));
  CHECK(!best.offer(1, answer(4, 3)));
  CHECK(best.offer(2, answer(1, 3)));
  CHECK(!best.all()[0]);
  CHECK(best.all()[1]->reward == 5);
  CHECK(best.all()[1]->round == 1);
  CHECK(best.worth_learning(1) == std::vector<size_t>{1, 2});
  CHECK(best.worth_learning(2) == std::vector<size_t>{1});
  CHECK_THROWS_AS(best.offer(3, answer(1, 0)), ContractError);
  CHECK_THROWS_WITH(best.offer(0, answer(NAN, 0)), contains("the reward of an answer is NaN"));
}

TEST_CASE("a round's answers are those of its seeds, whatever runs beside them, and the best is kept") {
  const LlamaParameters weights = talkative();
  const Tokenizer tokenizer(bytes_model());
  const std::vector<std::vector<TokenId>> prompts = {{65, 66, 67}, {70}, {71, 72, 73, 74, 75, 76, 77, 78}};
  const std::vector<TokenId> ends = {257};
  RoundOptions options{.generation = {.tokens = 12}, .samples = 5, .round = 2};
  options.generation.sampling.seed = 100;
  std::vector<std::vector<TokenId>> expected;
  std::vector<double> expected_rewards;
  for (size_t request = 0; request < 3; ++request)
    for (size_t i = 0; i < 5; ++i) {
      GenerationOptions alone = options.generation;
      alone.sampling.seed = 100 + 2 * 15 + request * 5 + i;
      Decoder decoder(weights, 64);
      FinishedText text;
      text.result = generate_text(decoder, tokenizer, prompts[request], ends, alone, [](std::string_view) {});
      expected.push_back(text.result.tokens);
      expected_rewards.push_back(evens(text));
    }
  for (const size_t places : {1, 4, 32})
    for (const size_t threads : {1, 2}) {
      BatchDecoder decoder(weights, places, 64, threads);
      BestAnswers best(3);
      std::vector<size_t> asked;
      const Reward reward = [&](std::span<const FinishedText> answers) {
        std::vector<double> scores;
        for (const FinishedText& answer : answers) asked.push_back(answer.request), scores.push_back(evens(answer));
        return scores;
      };
      const std::vector<double> rewards = sample_round(decoder, tokenizer, prompts, ends, options, reward, best);
      CHECK(rewards == expected_rewards);
      CHECK(asked == std::vector<size_t>{0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2});
      for (size_t request = 0; request < 3; ++request) {
        const auto first = expected_rewards.begin() + long(5 * request);
        const size_t at = size_t(std::max_element(first, first + 5) - expected_rewards.begin());
        REQUIRE(best.all()[request]);
        CHECK(best.all()[request]->tokens == expected[at]);
        CHECK(best.all()[request]->round == 2);
      }
    }
}
