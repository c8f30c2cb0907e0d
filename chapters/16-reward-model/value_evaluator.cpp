// Chapter 16, one batch forward and backward: the model of chapter 08 between the tokens and an objective over values.
#include "chapters/16-reward-model/value_evaluator.hpp"

#include "lib/base/check.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {
namespace {

Keep layers_kept(bool for_gradients) { return for_gradients ? Keep::all_layers : Keep::one_layer; }

}  // namespace

size_t ValueEvaluator::bytes(const LlamaConfig& config, size_t sequences, size_t positions, bool for_gradients) {
  const size_t rows = sequences * positions;
  return LlamaActivations::bytes(config, sequences, positions, positions, layers_kept(for_gradients)) +
         2 * rows * sizeof(real) + (for_gradients ? LlamaBackwardBuffers::bytes(config, rows) : 0);
}

ValueEvaluator::ValueEvaluator(const LlamaConfig& config, size_t sequences, size_t positions, bool for_gradients)
    : activations_(config, sequences, positions, positions, layers_kept(for_gradients)),
      memory_(2 * sequences * positions) {
  for (View<real, 2>* view : {&values_, &d_values_}) *view = memory_.take(Shape<2>{sequences * positions, 1});
  if (for_gradients) buffers_ = std::make_unique<LlamaBackwardBuffers>(config, sequences * positions);
}

View<const real, 2> ValueEvaluator::forward(const LlamaWeights& weights, const Batch& batch) {
  require(weights.tensors.head.shape(0) == 1, "ValueEvaluator", "the head must have one row");
  const View<real, 2> values = values_.rows(0, batch.tokens.size());
  // solution: values
  llama_forward(weights, {batch.tokens, batch.first_key}, activations_);
  llama_logits(weights, activations_.normed.rows(0, batch.tokens.size()), values);
  // end of solution
  return values.reshape(batch.tokens.shape());
}

double ValueEvaluator::forward(const LlamaWeights& weights, const Batch& batch, const Objective& objective) {
  const View<const real, 2> values = forward(weights, batch);
  const View<real, 2> d_values = d_values_.rows(0, batch.tokens.size()).reshape(batch.tokens.shape());
  noalias(d_values) = 0;
  return objective({batch, {}, {}, values, d_values});
}

double ValueEvaluator::forward_backward(const LlamaWeights& weights, const Batch& batch, const Objective& objective,
                                        const LlamaTensors<real>& gradients) {
  require(buffers_ != nullptr, "ValueEvaluator", "it was made without room for gradients");
  const double loss = forward(weights, batch, objective);
  // solution: value_gradients
  llama_backward(weights, {batch.tokens, batch.first_key}, activations_, d_values_.rows(0, batch.tokens.size()),
                 *buffers_, gradients);
  // end of solution
  return loss;
}

Objective keep_values(View<real, 2> values) {
  return [values](const RatedTargets& rated) {
    require(rated.batch.first + rated.values.shape(0) <= values.shape(0), "keep_values",
            "the batch has more sequences than there is room for");
    noalias(values.rows(rated.batch.first, rated.batch.first + rated.values.shape(0))) = rated.values;
    return 0.0;
  };
}

}  // namespace cria
