// Chapter 21, bytes and rounds of tensor parallelism and of a pipeline.
#include "chapters/21-several-machines/divided_costs.hpp"

#include <algorithm>

#include "chapters/21-several-machines/machine_costs.hpp"
#include "chapters/21-several-machines/tensor_parallel.hpp"

namespace cria {

Traffic& Traffic::operator+=(const Traffic& other) {
  bytes += other.bytes, rounds += other.rounds;
  return *this;
}

double Traffic::seconds(double bandwidth, double latency) const {
  return double(bytes) / bandwidth + double(rounds) * latency;
}

Traffic gather_traffic(size_t ranks, size_t rank, size_t numbers, size_t width) {
  const Shares shares{ranks, numbers, numbers};
  if (ranks == 1) return {};
  return {width * (numbers - shares.of((rank + 1) % ranks).size()), ranks - 1};
}

Traffic sum_traffic(size_t ranks, size_t rank, size_t numbers) {
  const Shares shares{ranks, numbers, numbers};
  Traffic all = gather_traffic(ranks, rank, numbers, sizeof(real));
  all += {sizeof(real) * (numbers - shares.of(rank).size()), ranks - 1};
  return all;
}

Traffic tensor_pass(const LlamaConfig& c, size_t ranks, size_t rank, size_t rows, size_t logit_rows) {
  // solution: tensor_pass
  // The embedding, and twice in each layer what is added to the residual stream.
  Traffic all = sum_traffic(ranks, rank, rows * c.dim) * (1 + 2 * c.layers);
  all += gather_traffic(ranks, rank, c.vocabulary_size, sizeof(real)) * logit_rows;
  return all;
  // end of solution
}

Traffic pipeline_pass(const LlamaConfig& c, size_t ranks, size_t rank, size_t rows, size_t logit_rows) {
  Traffic all;
  if (ranks == 1) return all;
  // solution: pipeline_pass
  if (rank + 1 < ranks) all += {sizeof(real) * rows * c.dim, 1};
  if (rank != ranks - 2) all += Traffic{sizeof(real) * c.vocabulary_size, 1} * logit_rows;
  return all;
  // end of solution
}

Traffic tensor_step(const LlamaConfig& c, const TrainerOptions& o, size_t ranks, size_t rank, bool masked) {
  Traffic all;
  if (ranks == 1) return all;
  const size_t ids = o.batch * o.positions * (masked ? 3 : 2);
  if (rank + 1 < ranks) all += {sizeof(TaskMessage) + sizeof(std::int32_t) * ids, 2};
  for (size_t lane = 0; lane < o.lanes; ++lane) {
    const Range own = Shares{o.lanes, o.batch / o.together, o.batch / o.together}.of(lane) * o.together;
    for (size_t b = own.begin; b < own.end; b += o.micro_batch) {
      const size_t rows = std::min(o.micro_batch, own.end - b) * o.positions;
      // Forward the embedding and twice a layer, backward the head and twice a layer.
      all += sum_traffic(ranks, rank, rows * c.dim) * (2 + 4 * c.layers);
      all += gather_traffic(ranks, rank, ranks, rows * sizeof(RowPart));
    }
  }
  all += gather_traffic(ranks, rank, ranks, number_parts * sizeof(double));
  for (const TensorPiece& piece : tensor_pieces(c, tensor_cut(c, ranks, rank))) {
    const size_t bytes = sizeof(real) * piece.numbers.size(), holders = piece.place.holders.size();
    if (piece.place.sums_gradients && !piece.is_first_holder(rank)) all += {bytes, 1};
    if (piece.is_first_holder(rank)) all += {bytes * (holders - 1), holders - 1};
  }
  return all;
}

}  // namespace cria
