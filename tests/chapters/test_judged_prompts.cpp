// Chapter 17: what a reward model says of answers, against its rewards of the texts one by one.
#include "chapters/16-reward-model/reward.hpp"
#include "chapters/17-rejection-sampling/judged_prompts.hpp"
#include "tests/chapters/talkative_llama.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

constexpr TokenId end_token = 257;

JudgedPrompts numbered() {
  return {[](std::uint64_t i) {
            return std::vector<TokenId>{TokenId(65 + i), 66};
          },
          [](std::uint64_t, std::span<const FinishedText> answers) { return std::vector<double>(answers.size(), 1); },
          7};
}

FinishedText answered(size_t request, std::vector<TokenId> tokens, bool ended) {
  FinishedText text;
  text.request = request;
  text.result.tokens = std::move(tokens);
  text.result.ended = ended;
  return text;
}

}  // namespace

TEST_CASE("a reward model reads an answer behind its prompt, with the end where the answer has one") {
  const ValueModel model(talkative());
  Random random(3);
  initialise_head(model, random);
  ThreadPool one(1);
  const std::vector<double> expected = rewards_of(
      model, std::vector<std::vector<TokenId>>{{68, 66, 1, 2, end_token}, {68, 66, 1, 2}, {69, 66, 5, 6, 7}}, one);
  const std::vector<FinishedText> answers = {answered(1, {1, 2}, true), answered(1, {1, 2}, false),
                                             answered(2, {5, 6, 7}, false)};
  for (const size_t threads : {1, 2}) {
    ThreadPool pool(threads);
    const JudgedPrompts prompts = marked_by(model, numbered(), end_token, pool);
    CHECK(prompts.reward()(2, answers) == expected);
    CHECK(prompts.judge(2, answers) == std::vector<double>{1, 1, 1});
  }
  CHECK(expected[0] != expected[1]);
  CHECK(numbered().reward()(2, answers) == std::vector<double>{1, 1, 1});
}

TEST_CASE("prompts that a reward model marks are known by all of its weights") {
  const ValueModel model(talkative());
  ThreadPool pool(1);
  const std::uint64_t before = marked_by(model, numbered(), end_token, pool).fingerprint;
  CHECK(before != numbered().fingerprint);
  model.bias() += 1;
  CHECK(marked_by(model, numbered(), end_token, pool).fingerprint != before);
}
