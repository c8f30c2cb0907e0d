// Chapter 10, one training step. It leaves out where batches come from and when to stop: chapter 11.
#include "chapters/10-training-step/trainer.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "lib/base/check.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {

Trainer::Trainer(const LlamaConfig& config, const Trainable& trainable, TrainerOptions options, ThreadPool& pool)
    : parameters_(trainable.parameters), options_(options), pool_(pool), optimiser_(parameters_, options.adamw) {
  require(options.lanes > 0 && options.micro_batch > 0 && options.batch > 0 && options.together > 0, "Trainer",
          "batch, lanes, micro_batch and together must not be 0");
  require(options.micro_batch % options.together == 0, "Trainer",
          "sequences that belong together do not fit into a micro_batch");
  lanes_.reserve(options.lanes);
  for (size_t i = 0; i < options.lanes; ++i) {
    lanes_.push_back({trainable.evaluator
                          ? trainable.evaluator(options.micro_batch, options.positions)
                          : std::make_unique<LossEvaluator>(config, options.micro_batch, options.positions, true),
                      ParameterSet(parameters_.layout()),
                      {}});
    lanes_.back().model = trainable.lane(lanes_.back().gradients);
  }
}

template <class Work>
double Trainer::for_each_micro_batch(const Batch& batch, Work&& work) {
  const size_t together = options_.together, groups = batch.tokens.shape(0) / together;
  require(groups * together == batch.tokens.shape(0), "Trainer", "the batch cuts sequences apart that belong together");
  pool_.for_each(lanes_.size(), [&](size_t i) {
    Lane& lane = lanes_[i];
    lane.loss = 0;
    const size_t end = groups * (i + 1) / lanes_.size() * together;
    for (size_t b = groups * i / lanes_.size() * together; b < end; b += options_.micro_batch)
      lane.loss += work(lane, part_of(batch, b, std::min(b + options_.micro_batch, end)));
  });
  return std::accumulate(lanes_.begin(), lanes_.end(), 0.0,
                         [](double sum, const Lane& lane) { return sum + lane.loss; });
}

void Trainer::sum_gradients() {
  constexpr size_t chunk = 16384;
  const ParameterSet& sum = lanes_[0].gradients;
  const size_t count = sum.flat().size();
  pool_.for_each((count + chunk - 1) / chunk, [&](size_t i) {
    const Range part = {i * chunk, std::min((i + 1) * chunk, count)};
    for (size_t lane = 1; lane < lanes_.size(); ++lane) noalias(sum.flat(part)) += lanes_[lane].gradients.flat(part);
  });
}

// What is random in a micro-batch depends on the step and its place in the batch, and on no thread.
double Trainer::forward_backward(Lane& lane, const Batch& micro_batch, const Objective& objective) {
  if (lane.model.draw_from) lane.model.draw_from(optimiser_.steps() * options_.batch + micro_batch.first);
  return lane.evaluator->forward_backward(lane.model.weights, micro_batch, objective, lane.model.gradients);
}

StepResult Trainer::step(const Batch& batch, double learning_rate) {
  // solution: cross_entropy_step
  const double targets = double(std::max<size_t>(count_targets(batch), 1));
  StepResult result = step(batch, learning_rate, cross_entropy(1 / targets));
  result.loss /= targets;
  return result;
  // end of solution
}

StepResult Trainer::step(const Batch& batch, double learning_rate, const Objective& objective) {
  pool_.for_each(lanes_.size(), [&](size_t i) { std::ranges::fill(lanes_[i].gradients.flat(), real(0)); });
  // solution: training_step
  StepResult result;
  result.loss = for_each_micro_batch(
      batch, [&](Lane& lane, const Batch& micro_batch) { return forward_backward(lane, micro_batch, objective); });
  sum_gradients();
  const ParameterSet& gradients = lanes_[0].gradients;
  result.gradient_norm = global_norm(gradients.flat(), pool_);
  if (!std::isfinite(result.loss) || !std::isfinite(result.gradient_norm)) return result;
  const double factor = options_.clip_norm > 0 ? clip_factor(result.gradient_norm, options_.clip_norm) : 1;
  optimiser_.step(parameters_, gradients, factor, learning_rate, pool_);
  return result;
  // end of solution
}

double Trainer::evaluate(const Batch& batch) { return evaluate(batch, cross_entropy(1)); }

double Trainer::evaluate(const Batch& batch, const Objective& objective) {
  return for_each_micro_batch(batch, [&](Lane& lane, const Batch& micro_batch) {
    if (lane.model.draw_from) lane.model.draw_from(std::nullopt);
    return lane.evaluator->forward(lane.model.weights, micro_batch, objective);
  });
}

}  // namespace cria
