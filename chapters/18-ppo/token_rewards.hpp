// Chapter 18: what each token of an answer earns: a fine for leaving the reference, and at the end the answer's score
// (Ziegler et al. 2019, arXiv:1909.08593, equation 2; Ouyang et al. 2022, arXiv:2203.02155).
#pragma once

#include <span>

#include "chapters/18-ppo/kl_estimate.hpp"
#include "lib/base/real.hpp"
#include "lib/base/view.hpp"

namespace cria {

/// At which position the score stands. Positions count what the model reads; the target of each is the token behind it.
enum class ScorePlace {
  last_token,  ///< where the last token is chosen (OpenRLHF)
  one_past,    ///< behind it, where the last token has been read, if the row has room (TRL, torchtune)
};

/// What an answer earns that was cut off before its end.
enum class MissingEnd {
  keep,      ///< its score
  subtract,  ///< its score less missing_end_penalty (TRL's missing_eos_penalty)
  replace,   ///< -missing_end_penalty, whatever its score (torchtune's penalise_no_eos, by 3)
};

struct RewardOptions {
  KlEstimate kl =
      KlEstimate::k1;            ///< k1 is right here: the gradient goes through log p of the tokens, not through this
  double kl_coefficient = 0.05;  ///< β (TRL: 0.05, torchtune: 0.01, Llama 2: 0.01 and 0.005); 0 where the loss has it
  ScorePlace score_place = ScorePlace::last_token;
  MissingEnd missing_end = MissingEnd::keep;
  double missing_end_penalty = 1;
  bool whiten_scores = false;  ///< first gives the step's scores mean 0 and variance 1 (Llama 2, section 3.2.3)
};

/// A score as the option for answers without an end has it.
double score_of(double score, bool ended, const RewardOptions& options);

/// The positions at which an answer has rewards and values: those of its tokens, and the one behind them where the
/// score stands there.
Range rewarded(const Range& answer, const RewardOptions& options, size_t positions);

/// rewards (B, T) = -β KL estimate of each token, plus the answer's score at its place; 0 elsewhere. log_p and
/// reference (B, T) are of policy and reference when the answers were sampled, scores (B) as score_of gives them.
void token_rewards(View<const real, 2> log_p, View<const real, 2> reference, std::span<const Range> answers,
                   std::span<const double> scores, const RewardOptions& options, View<double, 2> rewards);

}  // namespace cria
