// Chapter 18, rewards of tokens. It leaves out where scores come from: a judge, or chapter 16's model.
#include "chapters/18-ppo/token_rewards.hpp"

#include "lib/base/check.hpp"

namespace cria {

double score_of(double score, bool ended, const RewardOptions& options) {
  if (ended || options.missing_end == MissingEnd::keep) return score;
  return (options.missing_end == MissingEnd::subtract ? score : 0) - options.missing_end_penalty;
}

Range rewarded(const Range& answer, const RewardOptions& options, size_t positions) {
  const bool behind = options.score_place == ScorePlace::one_past && answer.end < positions;
  return {answer.begin, answer.end + (behind ? 1 : 0)};
}

void token_rewards(View<const real, 2> log_p, View<const real, 2> reference, std::span<const Range> answers,
                   std::span<const double> scores, const RewardOptions& options, View<double, 2> rewards) {
  const size_t B = log_p.shape(0), T = log_p.shape(1);
  require_shape("token_rewards: reference", reference, log_p.shape());
  require_shape("token_rewards: rewards", rewards, log_p.shape());
  require(answers.size() == B && scores.size() == B, "token_rewards", "needs one answer and one score for each row");
  for (size_t b = 0; b < B; ++b) {
    for (size_t t = 0; t < T; ++t) rewards(b, t) = 0;
    // solution: token_rewards
    for (size_t t = answers[b].begin; t < answers[b].end; ++t)
      rewards(b, t) =
          -options.kl_coefficient * kl_estimate(options.kl, double(log_p(b, t)) - double(reference(b, t))).value;
    rewards(b, rewarded(answers[b], options, T).end - 1) += scores[b];
    // end of solution
  }
}

}  // namespace cria
