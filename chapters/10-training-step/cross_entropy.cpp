// Chapter 10, cross entropy over rows of logits. It leaves out label smoothing and the z-loss; Llama uses neither.
#include "chapters/10-training-step/cross_entropy.hpp"

#include <cmath>

#include "lib/base/check.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {
namespace {

void require_target(std::int32_t target, size_t vocabulary) {
  require(target == no_target || (target >= 0 && static_cast<size_t>(target) < vocabulary), "cross_entropy",
          "a target is neither a token of the vocabulary nor no_target");
}

}  // namespace

double cross_entropy_forward(View<const real, 2> logits, View<const std::int32_t, 1> targets,
                             View<real, 1> log_sum_exp) {
  const size_t N = logits.shape(0), V = logits.shape(1);
  require_shape("cross_entropy_forward: targets", targets, Shape<1>{N});
  require_shape("cross_entropy_forward: log_sum_exp", log_sum_exp, Shape<1>{N});
  double sum = 0;
  for (size_t n = 0; n < N; ++n) {
    require_target(targets[n], V);
    if (targets[n] == no_target) continue;
    // solution: cross_entropy_forward
    const real most = largest(logits[n]);  // taken off, so that no exponential overflows
    log_sum_exp[n] = most + std::log(total(xt::exp(logits[n] - most)));
    sum += log_sum_exp[n] - logits(n, targets[n]);
    // end of solution
  }
  return sum;
}

void target_log_p(View<const real, 2> logits, View<const std::int32_t, 1> targets, View<const real, 1> log_sum_exp,
                  View<real, 1> log_p) {
  for (size_t n = 0; n < logits.shape(0); ++n)
    log_p[n] = targets[n] == no_target ? 0 : logits(n, targets[n]) - log_sum_exp[n];
}

void cross_entropy_backward(View<const real, 2> logits, View<const std::int32_t, 1> targets,
                            View<const real, 1> log_sum_exp, View<const real, 1> d_log_p, View<real, 2> d_logits) {
  const size_t N = logits.shape(0), V = logits.shape(1);
  require_shape("cross_entropy_backward: targets", targets, Shape<1>{N});
  require_shape("cross_entropy_backward: log_sum_exp", log_sum_exp, Shape<1>{N});
  require_shape("cross_entropy_backward: d_log_p", d_log_p, Shape<1>{N});
  require_shape("cross_entropy_backward: d_logits", d_logits, Shape<2>{N, V});
  for (size_t n = 0; n < N; ++n) {
    require_target(targets[n], V);
    if (targets[n] == no_target) continue;
    const real scale = -d_log_p[n];
    // solution: cross_entropy_backward
    // loss = log_sum_exp - logits[target]. The derivative of log_sum_exp is the softmax, exp(logits - log_sum_exp):
    noalias(d_logits[n]) += scale * xt::exp(logits[n] - log_sum_exp[n]);
    // That of -logits[target] is -1, at the target only:
    d_logits(n, targets[n]) -= scale;
    // end of solution
  }
}

void cross_entropy_backward(View<const real, 2> logits, View<const std::int32_t, 1> targets,
                            View<const real, 1> log_sum_exp, real scale, View<real, 2> d_logits) {
  const real d_log_p = -scale;
  const View<const real, 1> of_each_row(&d_log_p, {logits.shape(0)}, {0});
  cross_entropy_backward(logits, targets, log_sum_exp, of_each_row, d_logits);
}

}  // namespace cria
