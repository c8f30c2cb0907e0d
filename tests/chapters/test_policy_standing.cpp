// Chapter 17: a policy's reward and divergence, against answers one by one.
#include <cmath>

#include "chapters/17-rejection-sampling/policy_standing.hpp"
#include "tests/chapters/talkative_llama.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

constexpr TokenId end = 257;
constexpr size_t positions = 24, count = 6;

JudgedPrompts letters() {
  return {[](std::uint64_t i) {
            return std::vector<TokenId>{TokenId(65 + i), 66};
          },
          [](std::uint64_t first, std::span<const FinishedText> answers) {
            std::vector<double> scores;
            for (const FinishedText& answer : answers)
              scores.push_back(double(first + answer.request) + double(answer.text.size()) / 100);
            return scores;
          },
          0};
}

/// log p of tokens behind a prompt, one after the other.
double log_p(const LlamaWeights& weights, std::vector<TokenId> prompt, const std::vector<TokenId>& answer) {
  double sum = 0;
  Decoder decoder(weights, positions + 1);
  std::span<const TokenId> next = prompt;
  for (const TokenId& token : answer) {
    const std::span<const real> logits = decoder.feed(next);
    double total = 0;
    for (const real logit : logits) total += std::exp(double(logit));
    sum += double(logits[size_t(token)]) - std::log(total);
    next = {&token, 1};
  }
  return sum;
}

}  // namespace

TEST_CASE("a policy's reward and divergence are those of its answers one by one") {
  const LlamaParameters reference = talkative(), policy = talkative();
  for (real& value : policy.flat()) value *= real(1.03);
  const Tokenizer tokenizer(bytes_model());
  const AnswerStyle style{{end}, end, positions, 40};
  const JudgedPrompts prompts = letters();
  double reward = 0, divergence = 0, squares = 0;
  std::vector<double> ratios;
  for (std::uint64_t i = 0; i < count; ++i) {
    GenerationOptions alone{.tokens = positions - 2};
    alone.sampling.seed = style.seed + i;
    Decoder decoder(policy, positions + 1);
    std::string text;
    GenerationResult answer = generate_text(decoder, tokenizer, prompts.prompt(3 + i), style.ends, alone,
                                            [&](std::string_view part) { text += part; });
    reward += mean(prompts.judge(3 + i, std::vector<FinishedText>{{0, text, answer}})) / double(count);
    if (answer.ended) answer.tokens.push_back(end);
    ratios.push_back(log_p(policy, prompts.prompt(3 + i), answer.tokens) -
                     log_p(reference, prompts.prompt(3 + i), answer.tokens));
    divergence += ratios.back() / double(count);
  }
  for (const double ratio : ratios) squares += (ratio - divergence) * (ratio - divergence);
  for (const size_t threads : {1, 2}) {
    ThreadPool pool(threads);
    const PolicyStanding standing = measure_policy(policy, reference, tokenizer, prompts, 3, count, style, pool);
    CHECK(difference(standing.reward, reward, 1e-12) == "");
    // Measured: 8 epsilon in float, and 43 in double, where the sums here round as much.
    CHECK(std::abs(standing.divergence - divergence) < 100 * epsilon);
    CHECK(std::abs(standing.divergence_error - std::sqrt(squares) / double(count)) < 100 * epsilon);
    CHECK(std::abs(divergence) > 1e-3);
    const PolicyStanding same = measure_policy(policy, policy, tokenizer, prompts, 3, count, style, pool);
    CHECK(same.divergence == 0);
    CHECK(same.divergence_error == 0);
    CHECK(same.reward == standing.reward);
  }
}
