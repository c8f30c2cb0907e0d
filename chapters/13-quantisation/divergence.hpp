// How far one model's next-token probabilities are from another's.
#pragma once

#include <cstdint>

#include "lib/base/real.hpp"
#include "lib/base/view.hpp"

namespace cria {

/// Σ over the rows with a target of Σ_v p(v) log(p(v) / q(v)) in nats (Kullback and Leibler 1951, equation 2.4): p of
/// the reference, q of the other. Zero where both are the same; unlike a difference of losses it does not cancel out
/// where one token becomes likelier and another less likely. Throws ContractError for other shapes.
double divergence(View<const real, 2> reference,         // (N, V) logits
                  View<const real, 2> logits,            // (N, V)
                  View<const std::int32_t, 1> targets);  // (N)

}  // namespace cria
