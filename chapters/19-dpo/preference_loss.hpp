// Chapter 19: losses over pairs of answers, of which one is preferred, by their log-probabilities alone (Rafailov et
// al. 2023, arXiv:2305.18290).
//
// A log-probability here is of a whole answer given its request: the sum over its tokens, not their mean.
#pragma once

#include <cstddef>

namespace cria {

enum class PreferenceLoss {
  sigmoid,  ///< DPO, equation 7; with label smoothing cDPO (Mitchell 2023)
  ipo,      ///< Azar et al. 2023, arXiv:2310.12036, equation 17
};

struct PreferenceOptions {
  PreferenceLoss loss = PreferenceLoss::sigmoid;
  double beta = 0.1;  ///< how hard the policy is held to its reference; above 0
  double label_smoothing =
      0;                  ///< of the sigmoid: the share of pairs that are believed to be the wrong way round, 0 … 0.5
  double nll_weight = 0;  ///< of the chosen answer's loss per token, which is added; Llama 3 takes 0.2
};

/// log p of two answers to the same request.
struct PairLogP {
  double chosen = 0, rejected = 0;
};

struct PairLoss {
  double loss;
  PairLogP d_policy;  // its derivatives by the policy's two log-probabilities
};

/// How much more the policy prefers the chosen answer than the reference does, in nats:
/// log(π(chosen) / ref(chosen)) - log(π(rejected) / ref(rejected)).
double preference_margin(const PairLogP& policy, const PairLogP& reference);

/// sigmoid: -(1 - ε) log σ(β h) - ε log σ(-β h)      ipo: (h - 1 / (2 β))²      for the margin h.
/// Throws UserError for options out of their range.
PairLoss preference_loss(const PairLogP& policy, const PairLogP& reference, const PreferenceOptions& options);

struct ChosenLoss {
  double loss;
  double d_policy;  // its derivative by the policy's log-probability of the chosen answer
};

/// What is added to a pair's loss: -w log π(chosen) / n for the chosen answer's n tokens (Pang et al. 2024,
/// arXiv:2404.19733, equation 1; Llama 3, arXiv:2407.21783, section 4.1.4). `log_p` is their sum.
ChosenLoss chosen_loss(double log_p, std::size_t tokens, const PreferenceOptions& options);

/// The reward that DPO says the policy gives to an answer, up to a number that depends on the request alone:
/// β log(π / ref) (equation 5).
double implicit_reward(double policy, double reference, double beta);

/// Throws UserError that names an option out of its range.
void require_valid(const PreferenceOptions& options);

}  // namespace cria
