// Chapter 21, tensor parallel training.
#include "chapters/21-several-machines/tensor_parallel.hpp"

#include <algorithm>

#include "lib/base/check.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {
namespace {

template <class Real>
View<Real, 2> in_whole(std::span<Real> all, const TensorPiece& piece) {
  const Range rows = piece.place.rows;
  const View<Real, 2> tensor(all.data() + piece.whole_begin, {rows.end, piece.whole_columns});
  return tensor.rows(rows).columns(piece.place.columns);
}

template <class Real>
std::span<Real> in_part(std::span<Real> part, const TensorPiece& piece) {
  return part.subspan(piece.numbers.begin, piece.numbers.size());
}

View<real, 1> vector(std::span<real> numbers) { return {numbers, {numbers.size()}}; }

}  // namespace

std::vector<TensorPiece> tensor_pieces(const LlamaConfig& whole, const TensorCut& cut) {
  std::vector<TensorPiece> pieces;
  size_t whole_begin = 0, begin = 0;
  for (const ParameterSet::Tensor& tensor : llama_layout(whole)) {
    const TensorPlace place = tensor_place(tensor.name, tensor.shape, whole, cut);
    const size_t size = place.rows.size() * place.columns.size();
    pieces.push_back({place, whole_begin, tensor.shape[1], {begin, begin + size}});
    whole_begin += element_count(tensor.shape), begin += size;
  }
  return pieces;
}

TensorParallel::TensorParallel(Communicator& here, const LlamaConfig& whole)
    : LedPeers(here),
      whole_(whole),
      part_(part_config(whole, tensor_cut(whole, here.size(), here.rank()), false)),
      shards_(here, tensor_cut(whole, here.size(), here.rank())),
      layout_(llama_layout(whole)),
      pieces_(pieces_of(here.rank())) {}

std::vector<TensorPiece> TensorParallel::pieces_of(size_t rank) const {
  return tensor_pieces(whole_, tensor_cut(whole_, ranks_.size(), rank));
}

std::span<real> TensorParallel::room_for(const TensorPiece& piece) {
  passing_.resize(piece.numbers.size());
  return passing_;
}

// Each rank's squares are of other numbers.
void TensorParallel::complete_squares(std::span<double> squares) {
  const size_t N = ranks_.size(), n = squares.size();
  std::vector<double> all(N * n);
  std::ranges::copy(squares, all.begin() + std::ptrdiff_t(ranks_.rank() * n));
  all_gather(ranks_, std::span(all), {N, N, N * n});
  std::ranges::fill(squares, 0.0);
  for (size_t i = 0; i < N * n; ++i) squares[i % n] += all[i];
}

void TensorParallel::sum_lanes(std::span<const std::span<real>> lanes) {
  const size_t rank = ranks_.rank();
  for (const std::span<real> lane : lanes.subspan(1)) noalias(vector(lanes[0])) += vector(lane);
  for (const TensorPiece& piece : pieces_) {
    const Range holders = piece.place.holders;
    if (holders.size() == 1) continue;
    const std::span<real> gradient = in_part(lanes[0], piece);
    // solution: give_to_first_holder
    passing_.resize(gradient.size());
    for (size_t from = holders.begin + 1; piece.place.sums_gradients && from < holders.end; ++from) {
      if (rank == from) ranks_.send(holders.begin, std::as_bytes(gradient));
      if (rank != holders.begin) continue;
      ranks_.receive(from, std::as_writable_bytes(std::span(passing_)));
      noalias(vector(gradient)) += vector(passing_);
    }
    if (rank != holders.begin) std::ranges::fill(gradient, real(0));
    // end of solution
  }
}

void TensorParallel::complete_parts(std::span<real> parameters) {
  for (const TensorPiece& piece : pieces_) {
    const std::span<real> numbers = in_part(parameters, piece);
    const size_t rank = ranks_.rank(), first = piece.place.holders.begin;
    if (rank != first) ranks_.receive(first, std::as_writable_bytes(numbers));
    for (size_t to = first + 1; rank == first && to < piece.place.holders.end; ++to)
      ranks_.send(to, std::as_bytes(numbers));
  }
}

// A tensor's part after the other, so that rank 0 has room for one of another rank's only.
void TensorParallel::deal(Held, std::span<const real> all, std::span<real> own) {
  const size_t rank = ranks_.rank();
  for (size_t to = 0; to < ranks_.size(); ++to) {
    if (rank != 0 && rank != to) continue;
    for (const TensorPiece& piece : pieces_of(to)) {
      const std::span<real> numbers = rank == to ? in_part(own, piece) : room_for(piece);
      if (rank > 0) {
        ranks_.receive(0, std::as_writable_bytes(numbers));
        continue;
      }
      const View<const real, 2> from = in_whole(all, piece);
      noalias(View<real, 2>(numbers, from.shape())) = from;
      if (to > 0) ranks_.send(to, std::as_bytes(numbers));
    }
  }
}

void TensorParallel::gather(Held, std::span<const real> own, std::span<real> all) {
  const size_t rank = ranks_.rank();
  for (size_t from = 0; from < ranks_.size(); ++from) {
    if (rank != 0 && rank != from) continue;
    for (const TensorPiece& piece : pieces_of(from)) {
      if (!piece.is_first_holder(from)) continue;
      if (rank > 0) {
        ranks_.send(0, std::as_bytes(in_part(own, piece)));
        continue;
      }
      if (from > 0) ranks_.receive(from, std::as_writable_bytes(room_for(piece)));
      const std::span<const real> numbers = from == 0 ? in_part(own, piece) : passing_;
      const View<real, 2> to = in_whole(all, piece);
      noalias(to) = View<const real, 2>(numbers, to.shape());
    }
  }
}

Trainable tensor_trainable(const LlamaParameters& part, TensorParallel& peers) {
  const auto lane = [&part, &peers](const ParameterSet& gradients) {
    LlamaWeights weights = part;
    weights.shards = &peers.shards();
    return LaneModel{weights, tensors_in(part.config(), gradients)};
  };
  const auto evaluator = [&peers](size_t sequences, size_t positions) -> std::unique_ptr<Evaluator> {
    return std::make_unique<ShardedEvaluator>(peers.config(), peers.shards(), sequences, positions);
  };
  return {part, lane, evaluator};
}

}  // namespace cria
