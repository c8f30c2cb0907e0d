// Chapter 10: what a trainer trains: a model, and which numbers of it may change.
//
// The numbers are one flat set, whatever they are to the model: all of its parameters, or a small addition to weights
// that stay as they are. Gradients and moments exist for that set only, so what is frozen costs neither.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "chapters/10-training-step/evaluator.hpp"

namespace cria {

/// The model as one lane of a trainer runs it.
struct LaneModel {
  LlamaWeights weights;
  LlamaTensors<real> gradients;  // places in the lane's own set; a view is empty where the weight is frozen
  /// Says from which seed what is random in the next passes is drawn; without one, nothing is random. None: nothing is.
  std::function<void(std::optional<std::uint64_t> seed)> draw_from = {};
};

struct Trainable {
  /// All of a Llama's parameters.
  Trainable(const LlamaParameters& weights);  // NOLINT: it is what a trainer of all of them takes
  Trainable(const ParameterSet& set, std::function<LaneModel(const ParameterSet& gradients)> make_lane,
            std::function<std::unique_ptr<Evaluator>(size_t sequences, size_t positions)> make_evaluator = {})
      : parameters(set), lane(std::move(make_lane)), evaluator(std::move(make_evaluator)) {}

  const ParameterSet& parameters;  // must outlive a trainer of it
  /// For a set of gradients of the parameters' layout, which a lane owns. What it gives must hold as long as that.
  std::function<LaneModel(const ParameterSet& gradients)> lane;
  /// What runs it, with gradients, over micro-batches of up to (sequences, positions). None: a LossEvaluator does.
  std::function<std::unique_ptr<Evaluator>(size_t sequences, size_t positions)> evaluator;
};

}  // namespace cria
