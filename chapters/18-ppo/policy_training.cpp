// Chapter 18, the loop of a step. It leaves out where prompts and rewards come from, and when to stop.
#include "chapters/18-ppo/policy_training.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "chapters/16-reward-model/value_evaluator.hpp"
#include "lib/base/check.hpp"

namespace cria {
namespace {

/// 1 - Σ (R - V)² / Σ (R - mean R)² over all values; 0 where all returns are the same.
double explained_variance(const ValueTargets& targets) {
  double count = 0, sum = 0, errors = 0, squares = 0;
  const auto for_each = [&](auto&& use) {
    for (size_t b = 0; b < targets.rewarded.size(); ++b)
      for (size_t t = targets.rewarded[b].begin; t < targets.rewarded[b].end; ++t)
        use(targets.returns(b, t), double(targets.old_values(b, t)));
  };
  for_each([&](double target, double value) { ++count, sum += target, errors += (target - value) * (target - value); });
  for_each([&](double target, double) { squares += (target - sum / count) * (target - sum / count); });
  return squares > 0 ? 1 - errors / squares : 0;
}

}  // namespace

PolicyTraining::PolicyTraining(const PolicyModels& models, const Tokenizer& tokenizer, TokenId end,
                               const PolicyOptions& options)
    : models_(models), tokenizer_(tokenizer), end_(end), options_(options) {
  require_valid(options);
  require((options.advantages == AdvantageKind::critic) == (models.critic != nullptr), "PolicyTraining",
          "PPO needs a critic, and GRPO none");
}

std::vector<Rollout> PolicyTraining::sample(std::span<const std::vector<TokenId>> prompts, std::uint64_t number,
                                            const Reward& reward) {
  const size_t positions = models_.policy.options().positions;
  std::vector<TextRequest> requests;
  for (const std::vector<TokenId>& prompt : prompts) {
    if (prompt.size() > positions)
      throw UserError(fmt::format("a request has {} tokens, expected at most {}", prompt.size(), positions));
    for (size_t i = 0; i < options_.samples; ++i) {
      TextRequest request{prompt, {}};
      request.options.sampling.seed = options_.seed + (number << 32) + requests.size();
      request.options.tokens = std::min(options_.answer_tokens, positions + 1 - prompt.size());
      requests.push_back(std::move(request));
    }
  }
  std::vector<FinishedText> texts = generate_texts(models_.decoder, tokenizer_, requests, std::span(&end_, 1));
  for (FinishedText& text : texts) text.request /= options_.samples;
  const std::vector<double> scores = reward(texts);
  std::vector<Rollout> rollouts;
  for (size_t i = 0; i < texts.size(); ++i) {
    const GenerationResult& text = texts[i].result;
    Rollout rollout{requests[i].prompt, text.tokens, text.ended, scores[i]};
    // solution: end_token
    if (rollout.ended) rollout.answer.push_back(end_);
    // end of solution
    rollouts.push_back(std::move(rollout));
  }
  return rollouts;
}

// Each optimiser step's rows by themselves, as the first epoch will see them: with the same bits.
void PolicyTraining::rate(Experience& experience) {
  const Batch batch = experience.batch();
  for (const Range& step : experience.steps()) {
    const Batch part = part_of(batch, step.begin, step.end);
    models_.policy.evaluate(part, keep_log_p(experience.log_p()));
    models_.reference.rate(part, experience.reference());
    if (models_.critic) models_.critic->evaluate(part, keep_values(experience.values()));
  }
  experience.appraise();
}

PolicyFigures PolicyTraining::learn(std::vector<Rollout> rollouts, double learning_rate) {
  const TrainerOptions& trainer = models_.policy.options();
  size_t longest = 0;  // no row needs more, and padding takes as long as tokens
  for (const Rollout& rollout : rollouts) longest = std::max(longest, rollout.prompt.size() + rollout.answer.size());
  Experience experience(std::move(rollouts), std::min(longest, trainer.positions), trainer.batch, options_);
  rate(experience);
  PolicyFigures figures;
  figures.answers = experience_figures(experience, options_);
  std::vector<RowFigures> rows(experience.rollouts().size()), value_rows(models_.critic ? rows.size() : 0);
  const Objective policy = policy_objective(experience.policy_targets(), options_.policy, rows);
  const double steps = double(options_.epochs * experience.steps().size());
  RowFigures sum, value_sum;
  for (size_t epoch = 0; epoch < options_.epochs; ++epoch) {
    for (const Range& step : experience.steps()) {
      const Batch part = part_of(experience.batch(), step.begin, step.end);
      const StepResult result = models_.policy.step(part, learning_rate, policy);
      figures.loss += result.loss / steps;
      figures.gradient_norm += result.gradient_norm / steps;
      if (!models_.critic) continue;
      const Objective critic = value_objective(experience.value_targets(), options_.values, value_rows);
      figures.value_loss += models_.critic->step(part, learning_rate, critic).loss / steps;
    }
    for (const RowFigures& row : rows) sum += row;
    for (const RowFigures& row : value_rows) value_sum += row;
  }
  figures.clip_share = sum.clipped / sum.tokens;
  figures.moved = sum.moved / sum.tokens;
  if (models_.critic) {
    figures.value_clip_share = value_sum.clipped / value_sum.tokens;
    figures.explained = explained_variance(experience.value_targets());
  }
  return figures;
}

PolicyFigures PolicyTraining::step(std::span<const std::vector<TokenId>> prompts, std::uint64_t number,
                                   double learning_rate, const Reward& reward) {
  return learn(sample(prompts, number, reward), learning_rate);
}

}  // namespace cria
