// Chapter 10, one training step. It leaves out where batches come from and when to stop: chapter 11.
#include "chapters/10-training-step/trainer.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "lib/base/check.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {

Trainer::Trainer(const LlamaConfig& config, const Trainable& trainable, TrainerOptions options, ThreadPool& pool,
                 Peers* peers)
    : parameters_(trainable.parameters),
      options_(options),
      pool_(pool),
      peers_(peers),
      own_lanes_(peers ? peers->own(options.lanes) : Range{0, options.lanes}),
      own_parts_(peers ? peers->own(number_parts) : Range{0, number_parts}),
      losses_(options.lanes),
      optimiser_(parameters_, options.adamw, own_parts_) {
  require(options.lanes > 0 && options.micro_batch > 0 && options.batch > 0 && options.together > 0, "Trainer",
          "batch, lanes, micro_batch and together must not be 0");
  require(options.micro_batch % options.together == 0, "Trainer",
          "sequences that belong together do not fit into a micro_batch");
  require(!own_lanes_.empty() && !own_parts_.empty(), "Trainer", "there are more peers than lanes");
  require(!peers || !peers->meet_within_lanes() || own_lanes_.size() == 1 || pool.size() == 1, "Trainer",
          "peers that meet within lanes need a pool of one thread, or one lane");
  lanes_.reserve(own_lanes_.size());
  for (size_t i = 0; i < own_lanes_.size(); ++i) {
    lanes_.push_back({trainable.evaluator
                          ? trainable.evaluator(options.micro_batch, options.positions)
                          : std::make_unique<LossEvaluator>(config, options.micro_batch, options.positions, true),
                      ParameterSet(parameters_.layout()),
                      {}});
    lanes_.back().model = trainable.lane(lanes_.back().gradients);
    lane_gradients_.push_back(lanes_.back().gradients.flat());
  }
}

template <class Work>
double Trainer::for_each_micro_batch(const Batch& batch, Work&& work) {
  const size_t together = options_.together, groups = batch.tokens.shape(0) / together;
  require(groups * together == batch.tokens.shape(0), "Trainer", "the batch cuts sequences apart that belong together");
  pool_.for_each(lanes_.size(), [&](size_t own) {
    Lane& lane = lanes_[own];
    const size_t i = own_lanes_.begin + own, end = groups * (i + 1) / options_.lanes * together;
    double loss = 0;
    for (size_t b = groups * i / options_.lanes * together; b < end; b += options_.micro_batch) {
      lane.last_pass = forms_shared_ && b + options_.micro_batch >= end;
      loss += work(lane, part_of(batch, b, std::min(b + options_.micro_batch, end)));
    }
    losses_[i] = loss;
    if (forms_shared_) peers_->final_from(lane_gradients_, own, 0);
  });
  if (forms_shared_) peers_->sum_lanes(lane_gradients_);
  if (peers_) peers_->complete(losses_);
  return std::accumulate(losses_.begin(), losses_.end(), 0.0);
}

void Trainer::sum_gradients() {
  if (peers_) return;  // they have, from the first gradients on that were final
  constexpr size_t chunk = 16384;
  const ParameterSet& sum = lanes_[0].gradients;
  const size_t count = sum.flat().size();
  pool_.for_each((count + chunk - 1) / chunk, [&](size_t i) {
    const Range part = {i * chunk, std::min((i + 1) * chunk, count)};
    for (size_t lane = 1; lane < lanes_.size(); ++lane) noalias(sum.flat(part)) += lanes_[lane].gradients.flat(part);
  });
}

double Trainer::gradient_norm() {
  std::array<double, number_parts> squares;
  sum_squares(lanes_[0].gradients.flat(), own_parts_, squares, pool_);
  if (peers_) peers_->complete_squares(squares);
  return global_norm(squares);
}

// What is random in a micro-batch depends on the step and its place in the batch, and on no thread.
double Trainer::forward_backward(Lane& lane, const Batch& micro_batch, const Objective& objective) {
  if (lane.model.draw_from) lane.model.draw_from(optimiser_.steps() * options_.batch + micro_batch.first);
  LlamaTensors<real>& gradients = lane.model.gradients;
  gradients.layer_formed = {};
  if (lane.last_pass) gradients.layer_formed = [this, &lane](size_t layer) { tell_final(lane, layer); };
  return lane.evaluator->forward_backward(lane.model.weights, micro_batch, objective, gradients);
}

// A set that holds whole layers holds them in their order, and the head behind them: for_each_parameter.
void Trainer::tell_final(const Lane& lane, size_t layer) {
  const View<real, 1> first = lane.model.gradients.layers[layer].attention_norm;
  if (first.empty()) return;  // a frozen one, in another set: final with the whole lane
  const real* numbers = lane.gradients.flat().data();
  peers_->final_from(lane_gradients_, size_t(&lane - lanes_.data()), size_t(first.data() - numbers));
}

void Trainer::tell(const Task& task) {
  if (!peers_) return;
  peers_->begin(task);
  told_ = true;
}

// An objective is code, which cannot be sent.
void Trainer::require_told() {
  require(!peers_ || std::exchange(told_, false), "Trainer", "peers only know the objective of cross entropy");
}

StepResult Trainer::step(const Batch& batch, double learning_rate) {
  tell({Task::Kind::step, batch, learning_rate});
  // solution: cross_entropy_step
  const double targets = double(std::max<size_t>(count_targets(batch), 1));
  StepResult result = step(batch, learning_rate, cross_entropy(1 / targets));
  result.loss /= targets;
  return result;
  // end of solution
}

StepResult Trainer::step(const Batch& batch, double learning_rate, const Objective& objective) {
  require_told();
  pool_.for_each(lanes_.size(), [&](size_t i) {
    if (peers_)
      peers_->clear(lane_gradients_[i]);
    else
      std::ranges::fill(lane_gradients_[i], real(0));
  });
  if (!peers_) return learn(batch, learning_rate, objective);
  StepResult result;
  forms_shared_ = true;
  try {
    result = learn(batch, learning_rate, objective);
  } catch (...) {
    forms_shared_ = false;
    peers_->abandon_lanes();
    throw;
  }
  forms_shared_ = false;
  peers_->complete_parts(parameters_.flat()), peers_->finish();
  return result;
}

StepResult Trainer::learn(const Batch& batch, double learning_rate, const Objective& objective) {
  // solution: training_step
  StepResult result;
  result.loss = for_each_micro_batch(
      batch, [&](Lane& lane, const Batch& micro_batch) { return forward_backward(lane, micro_batch, objective); });
  sum_gradients();
  const ParameterSet& gradients = lanes_[0].gradients;
  result.gradient_norm = gradient_norm();
  if (!std::isfinite(result.loss) || !std::isfinite(result.gradient_norm)) return result;
  const double factor = options_.clip_norm > 0 ? clip_factor(result.gradient_norm, options_.clip_norm) : 1;
  optimiser_.step(parameters_, gradients, factor, learning_rate, pool_);
  return result;
  // end of solution
}

double Trainer::evaluate(const Batch& batch) {
  tell({Task::Kind::evaluate, batch});
  return evaluate(batch, cross_entropy(1));
}

double Trainer::evaluate(const Batch& batch, const Objective& objective) {
  require_told();
  const double loss = for_each_micro_batch(batch, [&](Lane& lane, const Batch& micro_batch) {
    if (lane.model.draw_from) lane.model.draw_from(std::nullopt);
    return lane.evaluator->forward(lane.model.weights, micro_batch, objective);
  });
  if (peers_) peers_->finish();
  return loss;
}

const std::vector<ParameterSet::Tensor>& Trainer::whole_layout() const {
  const auto* layout = peers_ ? peers_->whole_layout() : nullptr;
  return layout ? *layout : parameters_.layout();
}

void Trainer::deal(Held what, const ParameterSet& all, size_t steps_done) {
  const Task task = {.kind = Task::Kind::deal, .steps_done = steps_done, .held = what};
  peers_->begin(task), take_part(task, all.flat()), peers_->finish();
}

void Trainer::gather(Held what, const ParameterSet& all) {
  const Task task = {.kind = Task::Kind::gather, .held = what};
  peers_->begin(task), take_part(task, all.flat()), peers_->finish();
}

void Trainer::take_part(const Task& task, std::span<real> all) {
  const bool deals = task.kind == Task::Kind::deal;
  if (deals) optimiser_.set_steps(task.steps_done);
  const ParameterSet& own = task.held == Held::weights        ? parameters_
                            : task.held == Held::first_moment ? optimiser_.first_moment()
                                                              : optimiser_.second_moment();
  deals ? peers_->deal(task.held, all, own.flat()) : peers_->gather(task.held, own.flat(), all);
}

}  // namespace cria
