// Chapter 10: the loss, -log of the probability that the model gave to the token which came next.
#pragma once

#include <cstdint>

#include "lib/base/real.hpp"
#include "lib/base/view.hpp"

namespace cria {

/// The target of a row that has none: padding, or a prompt that is not to be learned.
inline constexpr std::int32_t no_target = -1;

/// Returns Σ over the rows with a target of log Σ_v exp(logits[n, v]) - logits[n, target], in nats, and keeps the first
/// term for backward. Throws ContractError when a target is neither a token nor no_target.
double cross_entropy_forward(View<const real, 2> logits,           // (N, V)
                             View<const std::int32_t, 1> targets,  // (N)
                             View<real, 1> log_sum_exp);           // (N)

/// d_logits += scale * (softmax(logits) - one-hot(target)) in the rows that have a target. With scale = 1 / the number
/// of targets in the whole batch, the gradient is that of the batch's mean loss, however the batch is split.
void cross_entropy_backward(View<const real, 2> logits,           // (N, V)
                            View<const std::int32_t, 1> targets,  // (N)
                            View<const real, 1> log_sum_exp,      // (N)
                            real scale, View<real, 2> d_logits);  // (N, V)

}  // namespace cria
