#include "chapters/13-quantisation/divergence.hpp"

#include <cmath>

#include "chapters/10-training-step/cross_entropy.hpp"
#include "lib/base/check.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {
namespace {

/// log Σ_v exp(logits[v]), which makes log probabilities of logits.
real log_sum_exp(View<const real, 1> logits) {
  const real most = largest(logits);
  return most + std::log(total(xt::exp(logits - most)));
}

}  // namespace

double divergence(View<const real, 2> reference, View<const real, 2> logits, View<const std::int32_t, 1> targets) {
  require_shape("divergence: logits", logits, reference.shape());
  require_shape("divergence: targets", targets, Shape<1>{reference.shape(0)});
  // solution: divergence
  double sum = 0;
  for (size_t n = 0; n < reference.shape(0); ++n) {
    if (targets[n] == no_target) continue;
    const real log_p = log_sum_exp(reference[n]), log_q = log_sum_exp(logits[n]);
    sum += total(xt::exp(reference[n] - log_p) * ((reference[n] - log_p) - (logits[n] - log_q)));
  }
  return sum;
  // end of solution
}

}  // namespace cria
