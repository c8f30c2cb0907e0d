// Chapter 20: where power laws may come from. What there is to know comes in pieces, the quanta, and text needs the
// k-th with the probability p_k. A model lacks those that it has no room for (Michaud et al. 2023, arXiv:2303.13506,
// section 2) and those that it has not met (Hutter 2021, arXiv:2102.04074, section 4). Where p_k ~ k^-(1 + α), what it
// lacks falls by a power of its size, and by another power of its tokens.
//
// Left out: that one quantum may help with another, that a quantum half known helps by half, and that both sums count
// what is neither held nor met, as the surface of losses does.
#pragma once

#include <span>
#include <vector>

#include "chapters/20-scaling-laws/loss_surface.hpp"

namespace cria {

/// The share of text that needs another quantum than the `held` most frequent ones: Σ p_k over k > held, and between
/// two whole numbers on a line. p (K) falls, and its sum is 1.
double share_not_held(std::span<const double> p, double held);

/// The share of text that needs a quantum which none of `draws` earlier ones was, as expected: Σ p_k (1 - p_k)^draws.
double share_not_met(std::span<const double> p, double draws);

struct QuantaExponents {
  double alpha = 0, beta = 0;  // the share not held ~ held^-alpha, that not met ~ draws^-beta
};
/// Those for p_k ~ k^-(1 + α) without end, α above 0.
QuantaExponents quanta_exponents(double alpha);

/// What theory says of runs: E + cost · (share_not_held(N / parameters) + share_not_met(D / tokens)).
struct QuantaTheory {
  double parameters = 0, tokens = 0;  // that a quantum takes
  double held = 0, met = 0;           // quanta and draws, at the geometric means of N and D
  std::vector<ScalingRun> runs;       // with the losses of theory
};

/// With what a quantum takes from a surface that was fitted to the runs: in the middle of them, both of its parts are
/// those of theory. `cost` is the loss where a quantum is needed and lacking. Throws UserError for parts that are more
/// than lacking all quanta costs.
QuantaTheory theory_of_runs(std::span<const double> p, double cost, const LossSurface& fitted,
                            std::span<const ScalingRun> runs);

}  // namespace cria
