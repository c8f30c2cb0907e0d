// Chapter 16: the loss of a reward model, over the rewards of two answers of which one is preferred (Ouyang et al.
// 2022, arXiv:2203.02155, equation 1; with a margin Touvron et al. 2023, arXiv:2307.09288, equation 2).
#pragma once

namespace cria {

/// Of two answers to the same request.
struct RewardPair {
  double chosen = 0, rejected = 0;
};

struct RankingLoss {
  double loss;
  RewardPair d_reward;  // its derivatives by the two rewards
};

/// log(1 / (1 + exp(-x))), also where exp would overflow.
double log_sigmoid(double x);

/// -log σ(chosen - rejected - margin) + centring (chosen + rejected)². The second term holds rewards near 0, of which
/// the first knows only differences (Eisenstein et al. 2023, arXiv:2312.09244, equation 2).
RankingLoss ranking_loss(const RewardPair& reward, double margin = 0, double centring = 0);

}  // namespace cria
