// Chapter 21, what rank 0 tells the others.
#include "chapters/21-several-machines/led_peers.hpp"

#include "chapters/21-several-machines/machine_costs.hpp"

namespace cria {

void LedPeers::begin(const Task& task) {
  if (ranks_.rank() > 0) return;
  within_task_ = task.kind != Task::Kind::end;
  const Batch& batch = task.batch;
  TaskMessage message{.kind = static_cast<std::uint32_t>(task.kind),
                      .masked = !batch.first_key.empty(),
                      .held = static_cast<std::uint16_t>(task.held),
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

Task LedPeers::next() {
  TaskMessage message;
  broadcast(ranks_, std::span(&message, 1));
  const Shape<2> shape = {message.sequences, message.positions};
  const size_t count = element_count(shape);
  batch_.resize(count * (message.masked ? 3 : 2));
  broadcast(ranks_, std::span(batch_));
  Task task{.kind = static_cast<Task::Kind>(message.kind),
            .learning_rate = message.learning_rate,
            .steps_done = message.steps_done,
            .held = static_cast<Held>(message.held)};
  task.batch = {{batch_.data(), shape}, {batch_.data() + count, shape}};
  if (message.masked) task.batch.first_key = std::span(batch_).subspan(2 * count);
  return task;
}

void follow(Trainer& trainer, LedPeers& peers) {
  for (;;) {
    const Task task = peers.next();
    switch (task.kind) {
      case Task::Kind::step:
        trainer.step(task.batch, task.learning_rate);
        break;
      case Task::Kind::evaluate:
        trainer.evaluate(task.batch);
        break;
      case Task::Kind::deal:
      case Task::Kind::gather:
        trainer.take_part(task);
        break;
      case Task::Kind::end:
        return;
    }
  }
}

}  // namespace cria
