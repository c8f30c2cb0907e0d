// Chapter 21: training steps that several ranks share, with the bits of one process.
//
// Every rank has the weights. A batch's lanes are shared out, and so are AdamW's moments (ZeRO, stage 1): a rank gets
// the sum of the gradients of its parts, updates these parts of the weights, and sends them to the others. Rank 0
// leads: it has the data, the run and its folder. The others have the model and do what they are told.
#pragma once

#include <vector>

#include "chapters/10-training-step/trainer.hpp"
#include "chapters/21-several-machines/collectives.hpp"

namespace cria {

class DataParallel : public Peers {
 public:
  /// The communicator must outlive it.
  explicit DataParallel(Communicator& ranks);

  Range own(size_t count) const override;
  void begin(const Task& task) override;
  void finish() override { within_task_ = false; }
  void complete(std::span<double> numbers) override;
  void complete_parts(std::span<real> parameters) override;
  void sum_lanes(std::span<const std::span<real>> lanes) override;
  void spread(std::span<real> numbers) override;
  void deal_parts(std::span<const real> all, std::span<real> own) override;
  void collect_parts(std::span<const real> own, std::span<real> all) override;

  /// Of rank 0: whether the others are at work on what it began, and wait for its part of it.
  bool within_task() const { return within_task_; }

  /// Waits for what rank 0 begins next; for all ranks but 0. A batch holds until the next call.
  Task next();

 private:
  Shares shares(size_t parts, size_t numbers) const { return {ranks_.size(), parts, numbers}; }
  Shares parameter_shares(size_t numbers) const { return shares(number_parts, numbers); }

  Communicator& ranks_;
  std::vector<std::int32_t> batch_;  // tokens, targets and document mask, one after the other
  std::vector<real> passing_;
  bool within_task_ = false;
};

/// Does what rank 0 begins, until it ends. The trainer's peers are these.
void follow(Trainer& trainer, DataParallel& peers);

/// Throws UserError where that many ranks cannot share the steps of a recipe.
void require_enough_lanes(size_t ranks, const TrainerOptions& options);

}  // namespace cria
