// Chapter 21: what all ranks do together, written in transfers. All must call the same functions in the same order.
//
// N is the number of ranks, n that of bytes in all. Which way the bytes go decides what a collective costs, and for
// sums what it gives: floating-point numbers are added in lane order here, on any number of ranks.
#pragma once

#include <functional>
#include <span>

#include "chapters/21-several-machines/communicator.hpp"
#include "lib/base/real.hpp"
#include "lib/base/view.hpp"

namespace cria {

/// Numbers in a row, cut into parts that stay whole, and shared among ranks. Rank r has the parts ⌊parts·r/ranks⌋ …
/// ⌊parts·(r+1)/ranks⌋ - 1, and of P numbers part i has ⌊P·i/parts⌋ … ⌊P·(i+1)/parts⌋ - 1.
struct Shares {
  size_t ranks;
  size_t parts;
  size_t numbers;

  Range parts_of(size_t rank) const;
  Range of(size_t rank) const;  // numbers
};

/// What goes along a chain of ranks at a time: short enough that those far along begin soon, long enough that the
/// carrier's own work counts little.
inline constexpr size_t piece_bytes = size_t{1} << 18;

/// Rank 0's bytes go to all, along a chain in pieces: each rank but the last sends n bytes. An inner rank takes
/// a piece and then passes it on, so from three ranks on the time is that of sending them twice.
void broadcast(Communicator& ranks, std::span<std::byte> bytes);

/// Each rank has its share of the numbers, `width` bytes each, and gets those of the others. They go round a ring: each
/// rank passes on what it got last. It sends all but the share of the rank behind it, about n (N - 1) / N bytes.
void all_gather(Communicator& ranks, std::span<std::byte> all, const Shares& shares, size_t width);

/// What a sum that begins early has to know about this rank's lanes, piece by piece. Nothing: they are final.
struct LanePieces {
  std::function<void(Range numbers)> await = {};  // returns when these are final in all lanes
  std::function<void(Range numbers)> leave = {};  // the sum does not need them any more, but for the own share of it
};

/// Σ over the lanes of all ranks, in lane order: rank 0 has the first ones, and so on. The sum goes along the ranks in
/// pieces, from the last numbers to the first, and each rank adds its lanes to it. The last one, who has it, sends each
/// rank its share of the piece: reduce-scatter. `lanes` are this rank's, and the own share of the first one holds the
/// result; the rest of it is not to be used. `passing` is room for the piece that goes along, and is equally long
/// everywhere. Each rank but the last sends n bytes, and the last n without its own share.
void sum_in_lane_order(Communicator& ranks, std::span<const std::span<real>> lanes, const Shares& shares,
                       std::span<real> passing, const LanePieces& pieces = {});

/// numbers = Σ over the ranks, in rank order, with the same bits on all of them: each rank sums its share, and then all
/// gather the sums. `room` is for what arrives, ranks times the longest share. A rank sends n without its own share,
/// and then what all_gather says: about 2 n (N - 1) / N, on any number of ranks.
void sum_in_rank_order(Communicator& ranks, std::span<real> numbers, std::span<real> room);

/// Rank 0 sends each rank its share of `all`, and the other way round. `all` is used on rank 0 only.
void scatter(Communicator& ranks, std::span<const real> all, std::span<real> own, const Shares& shares);
void gather(Communicator& ranks, std::span<const real> own, std::span<real> all, const Shares& shares);

/// The same numbers as bytes.
template <class T>
void broadcast(Communicator& ranks, std::span<T> numbers) {
  broadcast(ranks, std::as_writable_bytes(numbers));
}
template <class T>
void all_gather(Communicator& ranks, std::span<T> all, const Shares& shares) {
  all_gather(ranks, std::as_writable_bytes(all), shares, sizeof(T));
}

}  // namespace cria
