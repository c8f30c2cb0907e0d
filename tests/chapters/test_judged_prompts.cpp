// Chapter 17: what a reward model says of answers, against its rewards of the texts one by one.
#include <set>

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

TEST_CASE("prompts of one's own come in another order in each pass, and the last of them are held out") {
  std::vector<std::vector<TokenId>> all;
  for (TokenId i = 0; i < 10; ++i) all.push_back({i});
  const JudgedPrompts prompts = own_prompts(all, 0.25, 3);  // 3 of 10
  std::set<TokenId> first, second;
  bool another_order = false;
  for (std::uint64_t i = 0; i < 7; ++i) {
    first.insert(prompts.prompt(i).front()), second.insert(prompts.prompt(7 + i).front());
    another_order |= prompts.prompt(i) != prompts.prompt(7 + i);
  }
  CHECK(first == std::set<TokenId>{0, 1, 2, 3, 4, 5, 6});
  CHECK(second == first);
  CHECK(another_order);
  for (std::uint64_t i = 0; i < 6; ++i)
    CHECK(prompts.prompt(JudgedPrompts::held_out + i).front() == TokenId(7 + i % 3));
  CHECK_FALSE(prompts.judge);
  all[9][0] = 11;
  CHECK(own_prompts(all, 0.25, 3).fingerprint != prompts.fingerprint);
  CHECK(own_prompts({{1}, {2}}, 0, 1).prompt(JudgedPrompts::held_out).size() == 1);  // none held out: one of all
  CHECK_THROWS_WITH(own_prompts({{1}}, 0.1, 1), "of 1 prompts none is left to train on; lower data.validation");
}
