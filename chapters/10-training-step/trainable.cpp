#include "chapters/10-training-step/trainable.hpp"

namespace cria {

Trainable::Trainable(const LlamaParameters& weights)
    : Trainable(weights, [&weights](const ParameterSet& gradients) {
        return LaneModel{weights, tensors_in(weights.config(), gradients)};
      }) {}

}  // namespace cria
