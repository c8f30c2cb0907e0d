// Chapter 10, one training step. It leaves out where batches come from and when to stop: chapter 11.
#include "chapters/10-training-step/trainer.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "chapters/10-training-step/cross_entropy.hpp"
#include "lib/base/check.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {

Batch part_of(const Batch& batch, size_t begin, size_t end) {
  const size_t T = batch.tokens.shape(1);
  return {batch.tokens.rows(begin, end), batch.targets.rows(begin, end),
          batch.first_key.empty() ? batch.first_key : batch.first_key.subspan(begin * T, (end - begin) * T)};
}

size_t count_targets(const Batch& batch) {
  const auto targets = batch.targets.span();
  return targets.size() - static_cast<size_t>(std::ranges::count(targets, no_target));
}

namespace {

Keep kept(bool for_gradients) { return for_gradients ? Keep::all_layers : Keep::one_layer; }

// Logits, their gradient, and log_sum_exp.
size_t numbers_of_loss(const LlamaConfig& config, size_t rows, bool for_gradients) {
  return (for_gradients ? 2 : 1) * rows * config.vocabulary_size + rows;
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
  log_sum_exp_ = memory_.take(Shape<1>{rows});
  if (cache_type == CacheType::f32) return;
  require(!for_gradients, "LossEvaluator", "nothing is learned through a smaller cache");
  cache_ = std::make_unique<KvCache>(config.layers, positions, config.kv_heads, config.head_dim, sequences, cache_type);
}

double LossEvaluator::forward(const LlamaWeights& weights, const Batch& batch) {
  const size_t N = batch.tokens.size();
  for (size_t b = 0; cache_ && b < batch.tokens.shape(0); ++b) cache_->reset(b);
  llama_forward(weights, {batch.tokens, batch.first_key}, activations_, cache_.get());
  llama_logits(weights, activations_.normed.rows(0, N), logits_.rows(0, N));
  return cross_entropy_forward(logits_.rows(0, N), batch.targets.flat(), log_sum_exp_.rows(0, N));
}

double LossEvaluator::forward_backward(const LlamaParameters& weights, const Batch& batch, double scale,
                                       const LlamaParameters& gradients) {
  const double loss = forward(weights, batch);
  const size_t N = batch.tokens.size();
  const View<real, 2> d_logits = d_logits_.rows(0, N);
  noalias(d_logits) = 0;
  cross_entropy_backward(logits_.rows(0, N), batch.targets.flat(), log_sum_exp_.rows(0, N), real(scale), d_logits);
  llama_backward(weights, {batch.tokens, batch.first_key}, activations_, d_logits, *buffers_, gradients);
  return loss;
}

Trainer::Trainer(const LlamaParameters& weights, TrainerOptions options, ThreadPool& pool)
    : weights_(weights), options_(options), pool_(pool), optimiser_(weights, options.adamw) {
  require(options.lanes > 0 && options.micro_batch > 0 && options.batch > 0, "Trainer",
          "batch, lanes and micro_batch must not be 0");
  for (size_t i = 0; i < options.lanes; ++i)
    lanes_.push_back({LossEvaluator(weights.config(), options.micro_batch, options.positions, true),
                      LlamaParameters(weights.config())});
}

template <class Work>
double Trainer::for_each_micro_batch(const Batch& batch, Work&& work) {
  const size_t sequences = batch.tokens.shape(0);
  pool_.for_each(lanes_.size(), [&](size_t i) {
    Lane& lane = lanes_[i];
    lane.loss = 0;
    const size_t end = sequences * (i + 1) / lanes_.size();
    for (size_t b = sequences * i / lanes_.size(); b < end; b += options_.micro_batch)
      lane.loss += work(lane, part_of(batch, b, std::min(b + options_.micro_batch, end)));
  });
  return std::accumulate(lanes_.begin(), lanes_.end(), 0.0,
                         [](double sum, const Lane& lane) { return sum + lane.loss; });
}

void Trainer::sum_gradients() {
  constexpr size_t chunk = 16384;
  const LlamaParameters& sum = lanes_[0].gradients;
  const size_t count = sum.flat().size();
  pool_.for_each((count + chunk - 1) / chunk, [&](size_t i) {
    const Range part = {i * chunk, std::min((i + 1) * chunk, count)};
    for (size_t lane = 1; lane < lanes_.size(); ++lane) noalias(sum.flat(part)) += lanes_[lane].gradients.flat(part);
  });
}

StepResult Trainer::step(const Batch& batch, double learning_rate) {
  const double targets = double(std::max<size_t>(count_targets(batch), 1));
  pool_.for_each(lanes_.size(), [&](size_t i) { std::ranges::fill(lanes_[i].gradients.flat(), real(0)); });
  // solution: training_step
  StepResult result;
  result.loss =
      for_each_micro_batch(batch,
                           [&](Lane& lane, const Batch& micro_batch) {
                             return lane.evaluator.forward_backward(weights_, micro_batch, 1 / targets, lane.gradients);
                           }) /
      targets;
  sum_gradients();
  const LlamaParameters& gradients = lanes_[0].gradients;
  result.gradient_norm = global_norm(gradients.flat(), pool_);
  if (!std::isfinite(result.loss) || !std::isfinite(result.gradient_norm)) return result;
  const double factor = options_.clip_norm > 0 ? clip_factor(result.gradient_norm, options_.clip_norm) : 1;
  optimiser_.step(weights_, gradients, factor, learning_rate, pool_);
  return result;
  // end of solution
}

double Trainer::evaluate(const Batch& batch) {
  return for_each_micro_batch(
      batch, [&](Lane& lane, const Batch& micro_batch) { return lane.evaluator.forward(weights_, micro_batch); });
}

}  // namespace cria
