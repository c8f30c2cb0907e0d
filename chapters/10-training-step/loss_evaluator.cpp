// Chapter 10, one batch forward and backward: the model of chapter 08 between the tokens and an objective.
#include "chapters/10-training-step/loss_evaluator.hpp"

#include "chapters/10-training-step/cross_entropy.hpp"
#include "lib/base/check.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {
namespace {

Keep kept(bool for_gradients) { return for_gradients ? Keep::all_layers : Keep::one_layer; }

// Logits and their gradient; log_sum_exp, log p of the targets and its gradient.
size_t numbers_of_loss(const LlamaConfig& config, size_t rows, bool for_gradients) {
  return (for_gradients ? 2 : 1) * rows * config.vocabulary_size + 3 * rows;
}

}  // namespace

size_t LossEvaluator::bytes(const LlamaConfig& config, size_t sequences, size_t positions, bool for_gradients) {
  const size_t rows = sequences * positions;
  return LlamaActivations::bytes(config, sequences, positions, positions, kept(for_gradients)) +
         numbers_of_loss(config, rows, for_gradients) * sizeof(real) +
         (for_gradients ? LlamaBackwardBuffers::bytes(config, rows) : 0);
}

LossEvaluator::LossEvaluator(const LlamaConfig& config, size_t sequences, size_t positions, bool for_gradients,
                             CacheType cache_type)
    : activations_(config, sequences, positions, positions, kept(for_gradients), 1, cache_type),
      memory_(numbers_of_loss(config, sequences * positions, for_gradients)) {
  const size_t rows = sequences * positions, vocabulary = config.vocabulary_size;
  logits_ = memory_.take(Shape<2>{rows, vocabulary});
  if (for_gradients) {
    d_logits_ = memory_.take(Shape<2>{rows, vocabulary});
    buffers_ = std::make_unique<LlamaBackwardBuffers>(config, rows);
  }
  for (View<real, 1>* view : {&log_sum_exp_, &of_targets_, &d_of_targets_}) *view = memory_.take(Shape<1>{rows});
  if (cache_type == CacheType::f32) return;
  require(!for_gradients, "LossEvaluator", "nothing is learned through a smaller cache");
  cache_ = std::make_unique<KvCache>(config.layers, positions, config.kv_heads, config.head_dim, sequences, cache_type);
}

double LossEvaluator::forward(const LlamaWeights& weights, const Batch& batch) {
  const size_t N = batch.tokens.size();
  for (size_t b = 0; cache_ && b < batch.tokens.shape(0); ++b) cache_->reset(b);
  llama_forward(weights, {batch.tokens, batch.first_key}, activations_, cache_.get());
  const View<real, 2> logits = logits_.rows(0, N);
  const View<real, 1> log_sum_exp = log_sum_exp_.rows(0, N), log_p = of_targets_.rows(0, N);
  llama_logits(weights, activations_.normed.rows(0, N), logits);
  const double loss = cross_entropy_forward(logits, batch.targets.flat(), log_sum_exp);
  target_log_p(logits, batch.targets.flat(), log_sum_exp, log_p);
  log_p_ = log_p.reshape(batch.tokens.shape());
  return loss;
}

double LossEvaluator::forward(const LlamaWeights& weights, const Batch& batch, const Objective& objective) {
  forward(weights, batch);
  const View<real, 1> d_log_p = d_of_targets_.rows(0, batch.tokens.size());
  noalias(d_log_p) = 0;
  return objective({batch, log_p_, d_log_p.reshape(batch.tokens.shape())});
}

double LossEvaluator::forward_backward(const LlamaWeights& weights, const Batch& batch, const Objective& objective,
                                       const LlamaTensors<real>& gradients) {
  const double loss = forward(weights, batch, objective);
  const size_t N = batch.tokens.size();
  const View<real, 2> d_logits = d_logits_.rows(0, N);
  noalias(d_logits) = 0;
  cross_entropy_backward(logits_.rows(0, N), batch.targets.flat(), log_sum_exp_.rows(0, N), d_of_targets_.rows(0, N),
                         d_logits);
  llama_backward(weights, {batch.tokens, batch.first_key}, activations_, d_logits, *buffers_, gradients);
  return loss;
}

double LossEvaluator::forward_backward(const LlamaWeights& weights, const Batch& batch, double scale,
                                       const LlamaTensors<real>& gradients) {
  return forward_backward(weights, batch, cross_entropy(scale), gradients);
}

}  // namespace cria
