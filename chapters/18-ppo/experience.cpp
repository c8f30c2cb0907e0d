// Chapter 18, from answers to what is learned from them. It leaves out the models that rate them: policy_training.cpp.
#include "chapters/18-ppo/experience.hpp"

#include <algorithm>

namespace cria {

Experience::Experience(std::vector<Rollout> rollouts, size_t positions, size_t rows, const PolicyOptions& options)
    : rollouts_(std::move(rollouts)), options_(options), batch_(rollouts_, positions) {
  const Shape<2> shape = {batch_.size(), positions};
  log_p_ = reference_ = values_ = zeros<real>(shape);
  rewards_ = advantages_ = returns_ = zeros<double>(shape);
  for (size_t b = 0; b < batch_.size(); b += rows) steps_.push_back({b, std::min(b + rows, batch_.size())});
  for (const Range& answer : answers()) rewarded_.push_back(rewarded(answer, options_.rewards, positions));
}

void Experience::appraise() {
  std::vector<double> scores;
  for (const Rollout& rollout : rollouts_) scores.push_back(score_of(rollout.score, rollout.ended, options_.rewards));
  if (options_.rewards.whiten_scores) whiten(scores, options_.whitening);
  if (options_.advantages == AdvantageKind::critic)
    appraise_by_critic(scores);
  else
    appraise_by_group(scores);
  weights_.clear(), value_weights_.clear();
  for (const Range& step : steps_) {
    const auto add = [&](std::vector<double>& to, std::span<const Range> of, TokenWeight kind) {
      std::ranges::copy(token_weights(of.subspan(step.begin, step.size()), kind, options_.answer_tokens),
                        std::back_inserter(to));
    };
    add(weights_, answers(), options_.weight);
    add(value_weights_, rewarded_, TokenWeight::tokens);
  }
}

void Experience::appraise_by_critic(const std::vector<double>& scores) {
  token_rewards(view(log_p_), view(reference_), answers(), scores, options_.rewards, view(rewards_));
  const Array<double, 2> values = xt::cast<double>(values_);
  generalised_advantages(view(rewards_), view(values), rewarded_, options_.gae, view(advantages_), view(returns_));
  if (options_.whiten_advantages) whiten(view(advantages_), answers(), options_.whitening);
}

void Experience::appraise_by_group(const std::vector<double>& scores) {
  const std::vector<double> advantages = group_advantages(scores, options_.samples, options_.groups);
  for (size_t b = 0; b < advantages.size(); ++b)
    for (size_t t = answers()[b].begin; t < answers()[b].end; ++t) advantages_(b, t) = advantages[b];
}

ExperienceFigures experience_figures(const Experience& experience, const PolicyOptions& options) {
  ExperienceFigures figures;
  const std::span<const Rollout> rollouts = experience.rollouts();
  const PolicyTargets targets = experience.policy_targets();
  const double count = double(rollouts.size());
  double tokens = 0;
  std::vector<double> scores;
  for (size_t b = 0; b < rollouts.size(); ++b) {
    const Range answer = experience.answers()[b];
    scores.push_back(rollouts[b].score);
    figures.score += rollouts[b].score / count;
    figures.ended += (rollouts[b].ended ? 1 : 0) / count;
    tokens += double(answer.size());
    for (size_t t = answer.begin; t < answer.end; ++t) {
      const double log_p = targets.old_log_p(b, t), reference = targets.reference(b, t);
      figures.divergence += kl_estimate(KlEstimate::k1, log_p - reference).value / count;
      figures.entropy -= log_p;
    }
  }
  figures.entropy /= tokens;
  figures.length = tokens / count;
  if (options.advantages == AdvantageKind::group)
    figures.without_spread = share_without_spread(scores, options.samples);
  return figures;
}

}  // namespace cria
