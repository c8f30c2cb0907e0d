// Chapter 21: peers of whom rank 0 leads: it has the data, the run and its folder. The others have a model, or their
// part of it, and do what they are told.
#pragma once

#include <vector>

#include "chapters/10-training-step/trainer.hpp"
#include "chapters/21-several-machines/collectives.hpp"

namespace cria {

class LedPeers : public Peers {
 public:
  /// The communicator must outlive it.
  explicit LedPeers(Communicator& ranks) : ranks_(ranks) {}

  void begin(const Task& task) override;
  void finish() override { within_task_ = false; }

  /// Of rank 0: whether the others are at work on what it began, and wait for its part of it.
  bool within_task() const { return within_task_; }

  /// Waits for what rank 0 begins next; for all ranks but 0. A batch holds until the next call.
  Task next();

 protected:
  Communicator& ranks_;

 private:
  std::vector<std::int32_t> batch_;  // tokens, targets and document mask, one after the other
  bool within_task_ = false;
};

/// Does what rank 0 begins, until it ends. The trainer's peers are these.
void follow(Trainer& trainer, LedPeers& peers);

}  // namespace cria
