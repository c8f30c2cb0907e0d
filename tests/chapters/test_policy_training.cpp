// Chapter 18, whole steps of PPO and GRPO: sampled, judged, learned from.
#include <cmath>

#include "chapters/01-bpe/bpe_model.hpp"
#include "chapters/16-reward-model/value_model.hpp"
#include "chapters/18-ppo/policy_training.hpp"
#include "tests/chapters/talkative_llama.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

constexpr TokenId end = 257;
constexpr size_t length = 16;

TrainerOptions trainer_options(size_t batch, size_t micro_batch, size_t lanes) {
  TrainerOptions options;
  options.batch = batch, options.positions = length, options.micro_batch = micro_batch, options.lanes = lanes;
  return options;
}

/// A policy that is trained, and the reference that it began as.
struct Run {
  LlamaParameters weights = talkative(), frozen = talkative();
  ThreadPool pool;
  Trainer trainer;
  BatchDecoder decoder;
  FrozenPolicy reference;
  Tokenizer tokenizer{bytes_model()};

  explicit Run(size_t threads = 1, TrainerOptions options = trainer_options(64, 4, 2))
      : pool(threads),
        trainer(weights, options, pool),
        decoder(weights, 16, 64, threads),
        reference(frozen.config(), frozen, options.lanes, options.micro_batch, length, pool) {}

  PolicyTraining training(const PolicyOptions& options, Trainer* critic = nullptr) {
    return {{trainer, decoder, reference, critic}, tokenizer, end, options};
  }
};

const std::vector<std::vector<TokenId>> prompts = {{65, 66, 67}, {70},     {71, 72, 73, 74}, {80, 81},
                                                   {90},         {40, 41}, {1, 2, 3},        {50}};

/// The share of an answer's tokens that are even.
std::vector<double> evens(std::span<const FinishedText> answers) {
  std::vector<double> shares;
  for (const FinishedText& answer : answers) {
    const std::vector<TokenId>& tokens = answer.result.tokens;
    const auto even = std::ranges::count_if(tokens, [](TokenId token) { return token % 2 == 0; });
    shares.push_back(tokens.empty() ? 0 : double(even) / double(tokens.size()));
  }
  return shares;
}

PolicyOptions short_answers(PolicyOptions options) {
  options.answer_tokens = 10;
  return options;
}

}  // namespace

TEST_CASE("answers are sampled with the seeds of their step, and have the end token where the model ended them") {
  Run run(2);
  PolicyTraining training = run.training(short_answers(grpo_options()));
  std::vector<size_t> judged;
  const std::vector<Rollout> rollouts = training.sample(prompts, 3, [&](std::span<const FinishedText> texts) {
    for (const FinishedText& text : texts) judged.push_back(text.request);
    return evens(texts);
  });
  REQUIRE(rollouts.size() == 64);
  size_t ended = 0;
  for (size_t i = 0; i < 64; ++i) {
    CHECK(rollouts[i].prompt == prompts[i / 8]);
    CHECK(judged[i] == i / 8);
    CHECK(rollouts[i].ended == (rollouts[i].answer.back() == end));
    CHECK(std::ranges::count(rollouts[i].answer, end) == (rollouts[i].ended ? 1 : 0));
    CHECK(rollouts[i].answer.size() <= 10);
    if (!rollouts[i].ended) CHECK(rollouts[i].answer.size() == 10);
    ended += rollouts[i].ended;
  }
  CHECK(ended > 0);
  CHECK(ended < 64);
  const auto answers = [](const std::vector<Rollout>& all) {
    std::vector<std::vector<TokenId>> tokens;
    for (const Rollout& rollout : all) tokens.push_back(rollout.answer);
    return tokens;
  };
  Run other(1);
  CHECK(answers(other.training(short_answers(grpo_options())).sample(prompts, 3, evens)) == answers(rollouts));
  CHECK(answers(training.sample(prompts, 4, evens)) != answers(rollouts));
  CHECK_THROWS_WITH(training.sample(std::vector<std::vector<TokenId>>{std::vector<TokenId>(17, 1)}, 0, evens),
                    contains("a request has 17 tokens, expected at most 16"));
}

TEST_CASE(
    "the first step's ratio is 1, its divergence 0 and nothing is clipped; the loss is 0 and its gradient is not") {
  for (const size_t threads : {1, 2}) {
    Run run(threads);
    PolicyOptions options = short_answers(grpo_options());
    options.weight = TokenWeight::answers;  // in which a group's advantages cancel whatever their lengths are
    const PolicyFigures figures = run.training(options).step(prompts, 0, 1e-3, evens);
    CHECK(figures.moved == 0);
    CHECK(figures.clip_share == 0);
    CHECK(figures.answers.divergence == 0);
    CHECK(std::abs(figures.loss) < 1e-12);
    CHECK(figures.gradient_norm > 0.01);
  }
}

TEST_CASE("steps have the same bits on any number of threads") {
  std::vector<real> first;
  for (const size_t threads : {1, 2, 3}) {
    Run run(threads, trainer_options(24, 4, 3));  // 64 answers: the last step has fewer
    PolicyOptions options = short_answers(grpo_options());
    options.epochs = 2;
    PolicyTraining training = run.training(options);
    for (size_t step = 0; step < 2; ++step) training.step(prompts, step, 1e-3, evens);
    const std::vector<real> now(run.weights.flat().begin(), run.weights.flat().end());
    if (first.empty()) first = now;
    CHECK(now == first);
  }
}

TEST_CASE("PPO earns more of what is rewarded, and its critic learns what was to be expected") {
  Run run(2, trainer_options(16, 4, 2));
  ValueModel critic(run.weights);
  Random random(5);
  initialise_head(critic, random);
  Trainer critic_trainer(critic.config(), critic.trainable(), trainer_options(16, 4, 2), run.pool);
  PolicyOptions options = short_answers(ppo_options());
  options.samples = 8, options.epochs = 2, options.values.coefficient = 1;
  options.rewards.score_place = ScorePlace::one_past;
  PolicyTraining training = run.training(options, &critic_trainer);
  PolicyFigures first, last;
  for (size_t step = 0; step < 8; ++step) {
    last = training.step(prompts, step, 0.03, evens);
    if (step == 0) first = last;
  }
  INFO(first.answers.score << " " << last.answers.score << " " << first.explained << " " << last.explained << " "
                           << last.clip_share << " " << last.value_clip_share << " " << last.answers.divergence);
  CHECK(first.answers.divergence == 0);
  CHECK(std::abs(first.answers.score - 0.5) < 0.1);
  CHECK(last.answers.score > 0.6);
  CHECK(last.explained > first.explained);
  CHECK(last.clip_share > 0);
  CHECK_THROWS_AS(run.training(options), ContractError);
  CHECK_THROWS_AS(run.training(grpo_options(), &critic_trainer), ContractError);
}

TEST_CASE("GRPO and Dr. GRPO earn more of what is rewarded, and a divergence in the loss holds the policy back") {
  const auto trained = [](const PolicyOptions& options) {
    Run run(2, trainer_options(16, 4, 2));
    PolicyTraining training = run.training(short_answers(options));
    PolicyFigures figures;
    for (size_t step = 0; step < 12; ++step) {
      figures = training.step(prompts, step, 0.03, evens);
      if (step == 0) CHECK(std::abs(figures.answers.score - 0.5) < 0.1);
    }
    return figures;
  };
  PolicyOptions held = grpo_options();
  held.policy.kl_coefficient = 2;
  const PolicyFigures grpo = trained(grpo_options()), dr = trained(dr_grpo_options()), near = trained(held);
  UNSCOPED_INFO(grpo.answers.score << " " << dr.answers.score << " " << near.answers.score << " "
                                   << grpo.answers.divergence << " " << near.answers.divergence);
  CHECK(grpo.answers.score > 0.8);
  CHECK(dr.answers.score > 0.7);
  CHECK(near.answers.divergence < 0.5 * grpo.answers.divergence);
}
