// Chapter 21: what ranks that have a model together send, before anything runs.
//
// Pope et al. 2022, arXiv:2211.05102, section 3.2, compare ways to divide a model by what each has to send. What is
// built here is their simplest, "1D weight-stationary": weights stay, activations travel, and their volume does not
// fall with more ranks. Beside it is the pipeline, which sends least and lets all ranks but one wait.
#pragma once

#include <cstdint>

#include "chapters/10-training-step/trainer.hpp"

namespace cria {

/// Of one rank.
struct Traffic {
  std::uint64_t bytes = 0;
  std::uint64_t rounds = 0;  // transfers, one after the other, each of which takes the network's latency

  Traffic& operator+=(const Traffic& other);
  friend Traffic operator*(Traffic one, std::uint64_t times) { return {one.bytes * times, one.rounds * times}; }
  /// With so many bytes a second, and so many seconds before the first of them arrives.
  double seconds(double bandwidth, double latency) const;
};

/// sum_in_rank_order of so many numbers.
Traffic sum_traffic(size_t ranks, size_t rank, size_t numbers);
/// all_gather of parts of so many numbers, `width` bytes each.
Traffic gather_traffic(size_t ranks, size_t rank, size_t numbers, size_t width);

/// A forward pass of N rows, and the logits of some of them.
Traffic tensor_pass(const LlamaConfig& config, size_t ranks, size_t rank, size_t rows, size_t logit_rows);
Traffic pipeline_pass(const LlamaConfig& config, size_t ranks, size_t rank, size_t rows, size_t logit_rows);

/// A tensor parallel training step, of TensorParallel (tensor_parallel.hpp).
Traffic tensor_step(const LlamaConfig& config, const TrainerOptions& options, size_t ranks, size_t rank, bool masked);

}  // namespace cria
