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

/// log p(target) of each row: the target's logit less log_sum_exp; 0 in a row without one.
void target_log_p(View<const real, 2> logits,           // (N, V)
                  View<const std::int32_t, 1> targets,  // (N)
                  View<const real, 1> log_sum_exp,      // (N)
                  View<real, 1> log_p);                 // (N)

/// For any loss of the targets' log p: d_logits += d_log_p * (one-hot(target) - softmax(logits)) in the rows that have
/// a target. Every row has a factor of its own.
void cross_entropy_backward(View<const real, 2> logits,           // (N, V)
                            View<const std::int32_t, 1> targets,  // (N)
                            View<const real, 1> log_sum_exp,      // (N)
                            View<const real, 1> d_log_p,          // (N)
                            View<real, 2> d_logits);              // (N, V)

/// The same for scale times cross entropy's own loss, Σ -log p: d_logits += scale * (softmax(logits) -
/// one-hot(target)). With scale = 1 / the number of targets in the whole batch, the gradient is that of the batch's
/// mean loss, however it is split.
void cross_entropy_backward(View<const real, 2> logits,           // (N, V)
                            View<const std::int32_t, 1> targets,  // (N)
                            View<const real, 1> log_sum_exp,      // (N)
                            real scale, View<real, 2> d_logits);  // (N, V)

}  // namespace cria
