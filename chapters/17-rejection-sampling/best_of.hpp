// Chapter 17: what taking the best of n answers gains, and how far it goes from the model that answered.
//
// With a reward of 0 or 1 both are known exactly, and no other method can gain more at the same distance: success
// against divergence is a frontier, on which best-of-n lies and against which others can be held. All in nats.
#pragma once

#include <cstddef>
#include <span>

namespace cria {

/// 1 - (1 - p)^n: how often the best of n answers has the reward 1, when each of them has it with probability p.
/// Throws ContractError for p outside 0 … 1 or n = 0, as do the others.
double best_of_success(double p, std::size_t n);

/// KL(Bernoulli(q) || Bernoulli(p)) = q log(q / p) + (1 - q) log((1 - q) / (1 - p)): the least divergence from a policy
/// with success p that any policy with success q can have. Infinite where p is 0 or 1 and q is not.
double bernoulli_divergence(double q, double p);

/// The divergence of best-of-n from its base when the reward is 0 or 1, exactly: it is on the frontier.
double best_of_divergence(double p, std::size_t n);

/// log n - (n - 1) / n: its divergence when no two answers have the same reward, and a bound for any reward (Stiennon
/// et al. 2020, arXiv:2009.01325, appendix G.3; that it is a bound, Beirami et al. 2024, arXiv:2401.01879).
double best_of_divergence_bound(std::size_t n);

/// The mean of the largest of n rewards, over all ways to choose n of these: an estimate without bias of what best-of-n
/// reaches, from more samples than n. Throws ContractError for n = 0, for fewer than n rewards, and for one that is
/// NaN.
double expected_best(std::span<const double> rewards, std::size_t n);

}  // namespace cria
