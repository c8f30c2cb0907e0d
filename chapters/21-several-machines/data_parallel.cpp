// Chapter 21, data parallel training with ZeRO's stage 1.
#include "chapters/21-several-machines/data_parallel.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "chapters/21-several-machines/machine_costs.hpp"
#include "lib/base/check.hpp"

namespace cria {

DataParallel::DataParallel(Communicator& ranks) : ranks_(ranks), passing_(piece_bytes / sizeof(real)) {}

Range DataParallel::own(size_t count) const { return shares(count, count).of(ranks_.rank()); }

void DataParallel::begin(const Task& task) {
  if (ranks_.rank() > 0) return;
  within_task_ = task.kind != Task::Kind::end;
  const Batch& batch = task.batch;
  TaskMessage message{.kind = static_cast<std::uint32_t>(task.kind),
                      .masked = !batch.first_key.empty(),
                      .sequences = batch.tokens.shape(0),
                      .positions = batch.tokens.shape(1),
                      .steps_done = task.steps_done,
                      .learning_rate = task.learning_rate};
  broadcast(ranks_, std::span(&message, 1));
  batch_.clear();
  for (const std::span<const std::int32_t> ids : {batch.tokens.span(), batch.targets.span(), batch.first_key})
    batch_.insert(batch_.end(), ids.begin(), ids.end());
  broadcast(ranks_, std::span(batch_));
}

Task DataParallel::next() {
  TaskMessage message;
  broadcast(ranks_, std::span(&message, 1));
  const Shape<2> shape = {message.sequences, message.positions};
  const size_t count = element_count(shape);
  batch_.resize(count * (message.masked ? 3 : 2));
  broadcast(ranks_, std::span(batch_));
  Task task{.kind = static_cast<Task::Kind>(message.kind),
            .learning_rate = message.learning_rate,
            .steps_done = message.steps_done};
  task.batch = {{batch_.data(), shape}, {batch_.data() + count, shape}};
  if (message.masked) task.batch.first_key = std::span(batch_).subspan(2 * count);
  return task;
}

void DataParallel::complete(std::span<double> numbers) {
  // solution: complete_numbers
  all_gather(ranks_, numbers, shares(numbers.size(), numbers.size()));
  // end of solution
}

void DataParallel::complete_parts(std::span<real> parameters) {
  // solution: complete_parts
  all_gather(ranks_, parameters, parameter_shares(parameters.size()));
  // end of solution
}

void DataParallel::sum_lanes(std::span<const std::span<real>> lanes) {
  sum_in_lane_order(ranks_, lanes, parameter_shares(lanes[0].size()), passing_);
}

void DataParallel::spread(std::span<real> numbers) { broadcast(ranks_, numbers); }

// `all` is empty on all ranks but 0, so the number of parameters is told first.
void DataParallel::deal_parts(std::span<const real> all, std::span<real> own) {
  std::uint64_t numbers = all.size();
  broadcast(ranks_, std::span(&numbers, 1));
  scatter(ranks_, all, own, parameter_shares(numbers));
}

void DataParallel::collect_parts(std::span<const real> own, std::span<real> all) {
  std::uint64_t numbers = all.size();
  broadcast(ranks_, std::span(&numbers, 1));
  gather(ranks_, own, all, parameter_shares(numbers));
}

void follow(Trainer& trainer, DataParallel& peers) {
  for (;;) {
    const Task task = peers.next();
    switch (task.kind) {
      case Task::Kind::step:
        trainer.step(task.batch, task.learning_rate);
        break;
      case Task::Kind::evaluate:
        trainer.evaluate(task.batch);
        break;
      case Task::Kind::take_state:
        trainer.take_state(task.steps_done);
        break;
      case Task::Kind::hand_moments:
        trainer.hand_moments();
        break;
      case Task::Kind::end:
        return;
    }
  }
}

void require_enough_lanes(size_t ranks, const TrainerOptions& options) {
  if (ranks > options.lanes)
    throw UserError(
        fmt::format("{} ranks cannot share {} lanes: start at most as many, or a new run with a larger "
                    "data.lanes",
                    ranks, options.lanes));
  if (ranks > number_parts) throw UserError(fmt::format("{} ranks, expected at most {}", ranks, number_parts));
}

}  // namespace cria
