#include "chapters/10-training-step/objective.hpp"

#include "lib/base/check.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {

Objective cross_entropy(double scale) {
  return [scale](const RatedTargets& rated) {
    require(!rated.log_p.empty(), "cross_entropy", "the model gives no probabilities");
    double loss = 0;
    for (const real log_p : rated.log_p.span()) loss -= log_p;
    noalias(rated.d_log_p) = -real(scale);
    return loss;
  };
}

}  // namespace cria
