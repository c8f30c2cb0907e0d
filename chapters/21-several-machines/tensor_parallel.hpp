// Chapter 21: training steps of ranks that each have a part of the model (tensor_cut.hpp), its gradients and its
// moments.
//
// Each runs all lanes, one after the other, as every layer wants all ranks: a trainer's pool has one thread, unless
// there is one lane. What several ranks have, norms and perhaps keys and values, is updated by the first of them: it
// gets the gradient, and gives the others the new numbers. So it is counted once in the gradient's norm, and all keep
// the same.
#pragma once

#include "chapters/21-several-machines/led_peers.hpp"
#include "chapters/21-several-machines/sharded_loss.hpp"

namespace cria {

/// A part's tensors within the whole model's numbers, in the order of for_each_parameter.
struct TensorPiece {
  TensorPlace place;
  size_t whole_begin, whole_columns;  // of the whole tensor
  Range numbers;                      // of the part's

  bool is_first_holder(size_t rank) const { return place.holders.begin == rank; }
};
std::vector<TensorPiece> tensor_pieces(const LlamaConfig& whole, const TensorCut& cut);

class TensorParallel : public LedPeers {
 public:
  /// The communicator must outlive it. Throws UserError where so many ranks cannot share the model.
  TensorParallel(Communicator& ranks, const LlamaConfig& whole);

  Range own(size_t count) const override { return {0, count}; }
  bool meet_within_lanes() const override { return true; }
  void complete(std::span<double>) override {}  // losses, which all ranks have
  void complete_squares(std::span<double> squares) override;
  void complete_parts(std::span<real> parameters) override;
  void sum_lanes(std::span<const std::span<real>> lanes) override;
  const std::vector<ParameterSet::Tensor>* whole_layout() const override { return &layout_; }
  void deal(Held what, std::span<const real> all, std::span<real> own) override;
  void gather(Held what, std::span<const real> own, std::span<real> all) override;

  TensorShards& shards() { return shards_; }
  /// The configuration of the part.
  const LlamaConfig& config() const { return part_; }

 private:
  std::vector<TensorPiece> pieces_of(size_t rank) const;
  std::span<real> room_for(const TensorPiece& piece);

  LlamaConfig whole_, part_;
  TensorShards shards_;
  std::vector<ParameterSet::Tensor> layout_;  // of the whole model
  std::vector<TensorPiece> pieces_;           // this rank's
  std::vector<real> passing_;                 // of one piece
};

/// What a trainer with such peers trains, with a pool of one thread or one lane; the weights are the part's, and must
/// outlive it, as the peers.
Trainable tensor_trainable(const LlamaParameters& part, TensorParallel& peers);

}  // namespace cria
