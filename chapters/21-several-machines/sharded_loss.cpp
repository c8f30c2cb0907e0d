// Chapter 21, cross entropy over logits that are on several ranks.
#include "chapters/21-several-machines/sharded_loss.hpp"

#include <algorithm>
#include <cmath>

#include "chapters/02-linear/linear.hpp"
#include "chapters/10-training-step/cross_entropy.hpp"
#include "lib/base/check.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {

RowPart row_part(View<const real, 1> logits, Range tokens, std::int32_t target) {
  // solution: row_part
  const real largest_here = largest(logits);
  return {largest_here, total(xt::exp(logits - largest_here)),
          tokens.contains(target) ? logits[size_t(target) - tokens.begin] : 0};
  // end of solution
}

RowLoss join_parts(std::span<const RowPart> parts) {
  real most = parts[0].largest, sum = 0, target = 0;
  for (const RowPart& part : parts) most = std::max(most, part.largest);
  // solution: join_parts
  for (const RowPart& part : parts) sum += part.sum * std::exp(part.largest - most), target += part.target;
  const real log_sum_exp = most + std::log(sum);
  return {log_sum_exp, target - log_sum_exp};
  // end of solution
}

void sharded_loss_backward(View<const real, 1> logits, Range tokens, std::int32_t target, real log_sum_exp,
                           real d_log_p, View<real, 1> d_logits) {
  // solution: sharded_loss_backward
  noalias(d_logits) -= d_log_p * xt::exp(logits - log_sum_exp);
  if (tokens.contains(target)) d_logits[size_t(target) - tokens.begin] += d_log_p;
  // end of solution
}

ShardedEvaluator::ShardedEvaluator(const LlamaConfig& part, TensorShards& shards, size_t sequences, size_t positions)
    : shards_(shards),
      activations_(part, sequences, positions, positions, Keep::all_layers),
      buffers_(part, sequences * positions),
      memory_(sequences * positions * (2 * part.vocabulary_size + 3)),
      parts_(sequences * positions * shards.ranks().size()) {
  const size_t rows = sequences * positions, tokens = part.vocabulary_size;
  require(tokens == shards.predicted().size(), "ShardedEvaluator", "the configuration is not that of the part");
  for (View<real, 2>* view : {&logits_, &d_logits_}) *view = memory_.take(Shape<2>{rows, tokens});
  for (View<real, 1>* view : {&log_sum_exp_, &log_p_, &d_log_p_}) *view = memory_.take(Shape<1>{rows});
}

double ShardedEvaluator::forward(const LlamaWeights& weights, const Batch& batch, const Objective& objective) {
  const size_t N = batch.tokens.size(), ranks = shards_.ranks().size();
  const Range tokens = shards_.predicted();
  const View<const std::int32_t, 1> targets = batch.targets.flat();
  llama_forward(weights, {batch.tokens, batch.first_key}, activations_);
  const View<real, 2> logits = logits_.rows(0, N);
  linear_forward(activations_.normed.rows(0, N), weights.tensors.head, logits);
  const std::span<RowPart> parts = std::span(parts_).first(ranks * N);
  for (size_t n = 0; n < N; ++n) parts[shards_.cut().rank * N + n] = row_part(logits[n], tokens, targets[n]);
  all_gather(shards_.ranks(), std::as_writable_bytes(parts), {ranks, ranks, ranks}, N * sizeof(RowPart));
  std::vector<RowPart> row(ranks);
  for (size_t n = 0; n < N; ++n) {
    for (size_t r = 0; r < ranks; ++r) row[r] = parts[r * N + n];
    const RowLoss loss = join_parts(row);
    log_sum_exp_[n] = loss.log_sum_exp;
    log_p_[n] = targets[n] == no_target ? 0 : loss.log_p;
  }
  const Shape<2> shape = batch.tokens.shape();
  const View<real, 1> d_log_p = d_log_p_.rows(0, N);
  noalias(d_log_p) = 0;
  return objective({batch, log_p_.rows(0, N).reshape(shape), d_log_p.reshape(shape)});
}

double ShardedEvaluator::forward_backward(const LlamaWeights& weights, const Batch& batch, const Objective& objective,
                                          const LlamaTensors<real>& gradients) {
  const double loss = forward(weights, batch, objective);
  const size_t N = batch.tokens.size();
  const View<const std::int32_t, 1> targets = batch.targets.flat();
  const View<real, 2> d_logits = d_logits_.rows(0, N);
  noalias(d_logits) = 0;
  for (size_t n = 0; n < N; ++n)
    if (targets[n] != no_target)
      sharded_loss_backward(logits_[n], shards_.predicted(), targets[n], log_sum_exp_[n], d_log_p_[n], d_logits[n]);
  llama_backward(weights, {batch.tokens, batch.first_key}, activations_, d_logits, buffers_, gradients);
  return loss;
}

}  // namespace cria
