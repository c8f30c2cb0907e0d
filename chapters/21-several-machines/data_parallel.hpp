// Chapter 21: training steps that several ranks share, with the bits of one process.
//
// Every rank has the weights. A batch's lanes are shared out, and so are AdamW's moments and what is kept of the
// gradient (ZeRO, stage 2): a rank gets the sum of the gradients of its parts, updates these parts of the weights, and
// sends them to the others. The sum travels while backward is still at work (lane_sum.hpp).
#pragma once

#include "chapters/21-several-machines/lane_sum.hpp"
#include "chapters/21-several-machines/led_peers.hpp"

namespace cria {

class DataParallel : public LedPeers {
 public:
  /// The communicator must outlive it. The gradient's sum travels in pieces of so many numbers.
  explicit DataParallel(Communicator& ranks, size_t piece = piece_bytes / sizeof(real))
      : LedPeers(ranks), sum_(ranks, piece) {}

  Range own(size_t count) const override;
  void complete(std::span<double> numbers) override;
  void complete_parts(std::span<real> parameters) override;
  void clear(std::span<real> lane) override { LaneSum::clear(lane); }
  void final_from(std::span<const std::span<real>> lanes, size_t lane, size_t begin) override;
  void sum_lanes(std::span<const std::span<real>> lanes) override { sum_.finish(lanes); }
  void abandon_lanes() noexcept override { sum_.abandon(); }
  void deal(Held what, std::span<const real> all, std::span<real> own) override;
  void gather(Held what, std::span<const real> own, std::span<real> all) override;

 private:
  Shares shares(size_t parts, size_t numbers) const { return {ranks_.size(), parts, numbers}; }
  Shares parameter_shares(size_t numbers) const { return shares(number_parts, numbers); }

  LaneSum sum_;
};

/// Throws UserError where that many ranks cannot share the steps of a recipe.
void require_enough_lanes(size_t ranks, const TrainerOptions& options);

}  // namespace cria
