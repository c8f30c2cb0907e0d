// Chapter 21, broadcast, all-gather, and the sum in lane order.
#include "chapters/21-several-machines/collectives.hpp"

#include <algorithm>

#include "lib/base/check.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {
namespace {

std::span<real> part_of(std::span<real> numbers, Range range) { return numbers.subspan(range.begin, range.size()); }

// The first of `numbers` that is among the last `back` of them.
size_t from_end(size_t numbers, size_t back) { return numbers - std::min(numbers, back); }

// Of both; where there are none, an empty range.
Range common(Range a, Range b) {
  const size_t begin = std::max(a.begin, b.begin);
  return {begin, std::max(begin, std::min(a.end, b.end))};
}

void add(std::span<real> sum, std::span<const real> lane) {
  noalias(View<real, 1>(sum, {sum.size()})) += View<const real, 1>(lane, {lane.size()});
}

}  // namespace

Range Shares::parts_of(size_t rank) const {
  // solution: parts_of
  return {parts * rank / ranks, parts * (rank + 1) / ranks};
  // end of solution
}

Range Shares::of(size_t rank) const {
  const Range own = parts_of(rank);
  return {numbers * own.begin / parts, numbers * own.end / parts};
}

void broadcast(Communicator& ranks, std::span<std::byte> bytes) {
  const size_t rank = ranks.rank(), last = ranks.size() - 1;
  for (size_t at = 0; at < bytes.size(); at += piece_bytes) {
    const auto piece = bytes.subspan(at, std::min(piece_bytes, bytes.size() - at));
    // solution: broadcast_piece
    if (rank > 0) ranks.receive(rank - 1, piece);
    if (rank < last) ranks.send(rank + 1, piece);
    // end of solution
  }
}

void all_gather(Communicator& ranks, std::span<std::byte> all, const Shares& shares, size_t width) {
  require(shares.ranks == ranks.size() && all.size() == shares.numbers * width, "all_gather",
          "the shares are not of these numbers, or these ranks");
  const size_t N = ranks.size(), rank = ranks.rank();
  if (N == 1) return;
  const auto share_of = [&](size_t of) {
    const Range range = shares.of(of % N) * width;
    return all.subspan(range.begin, range.size());
  };
  // solution: all_gather_ring
  const size_t next = (rank + 1) % N, before = (rank + N - 1) % N;
  for (size_t round = 0; round + 1 < N; ++round)
    ranks.exchange(next, share_of(rank + N - round), before, share_of(before + N - round));
  // end of solution
}

void sum_in_lane_order(Communicator& ranks, std::span<const std::span<real>> lanes, const Shares& shares,
                       std::span<real> passing, const LanePieces& pieces) {
  require(!lanes.empty() && !passing.empty() && lanes[0].size() == shares.numbers && shares.ranks == ranks.size(),
          "sum_in_lane_order", "no lanes, no room to pass a piece on, or shares of other numbers or ranks");
  const size_t rank = ranks.rank(), last = ranks.size() - 1;
  const size_t count = (shares.numbers + passing.size() - 1) / passing.size();
  const auto piece = [&](size_t k) {
    return Range{from_end(shares.numbers, (k + 1) * passing.size()), from_end(shares.numbers, k * passing.size())};
  };
  // Of the sum of piece k, what a rank gets in the end.
  const auto share_of = [&](size_t k, size_t of) { return part_of(lanes[0], common(piece(k), shares.of(of))); };
  // A piece comes back from the last rank when so many others have been sent after it: each rank between has one.
  const size_t behind = last - rank;
  for (size_t k = 0; k < count; ++k) {
    const Range here = piece(k);
    const std::span<real> first_lane = part_of(lanes[0], here), arriving = passing.first(here.size());
    const std::span<real> returning = k < behind ? std::span<real>() : share_of(k - behind, rank);
    if (pieces.await) pieces.await(here);
    // solution: sum_piece
    // ((lane 0 + lane 1) + lane 2) + …: what arrives is the sum of all lanes before these.
    if (rank > 0) {
      ranks.receive(rank - 1, std::as_writable_bytes(arriving));
      add(first_lane, arriving);
    }
    for (const std::span<real> lane : lanes.subspan(1)) add(first_lane, part_of(lane, here));
    // end of solution
    // solution: pass_on
    if (rank < last) ranks.exchange(rank + 1, std::as_bytes(first_lane), last, std::as_writable_bytes(returning));
    for (size_t to = 0; rank == last && to < last; ++to) ranks.send(to, std::as_bytes(share_of(k, to)));
    // end of solution
    if (pieces.leave) pieces.leave(here);
  }
  // solution: last_returns
  for (size_t k = count - std::min(count, behind); k < count; ++k)
    ranks.receive(last, std::as_writable_bytes(share_of(k, rank)));
  // end of solution
}

void sum_in_rank_order(Communicator& ranks, std::span<real> numbers, std::span<real> room) {
  const size_t N = ranks.size(), rank = ranks.rank();
  const Shares shares{N, numbers.size(), numbers.size()};
  const std::span<real> own = part_of(numbers, shares.of(rank));
  require(room.size() >= N * own.size(), "sum_in_rank_order", "there is no room for what arrives");
  const auto from_rank = [&](size_t from) { return room.subspan(from * own.size(), own.size()); };
  std::ranges::copy(own, from_rank(rank).begin());
  // solution: exchange_shares
  for (size_t round = 1; round < N; ++round) {
    const size_t to = (rank + round) % N, from = (rank + N - round) % N;
    ranks.exchange(to, std::as_bytes(part_of(numbers, shares.of(to))), from, std::as_writable_bytes(from_rank(from)));
  }
  // ((rank 0's + rank 1's) + rank 2's) + …, whoever is the one that adds
  std::ranges::copy(from_rank(0), own.begin());
  for (size_t from = 1; from < N; ++from) add(own, from_rank(from));
  // end of solution
  all_gather(ranks, numbers, shares);
}

void scatter(Communicator& ranks, std::span<const real> all, std::span<real> own, const Shares& shares) {
  require(own.size() == shares.of(ranks.rank()).size(), "scatter", "the own share has another length");
  if (ranks.rank() > 0) return ranks.receive(0, std::as_writable_bytes(own));
  for (size_t to = 0; to < ranks.size(); ++to) {
    const auto [begin, end] = shares.of(to);
    const auto share = all.subspan(begin, end - begin);
    if (to == 0) std::ranges::copy(share, own.begin());
    if (to > 0) ranks.send(to, std::as_bytes(share));
  }
}

void gather(Communicator& ranks, std::span<const real> own, std::span<real> all, const Shares& shares) {
  require(own.size() == shares.of(ranks.rank()).size(), "gather", "the own share has another length");
  if (ranks.rank() > 0) return ranks.send(0, std::as_bytes(own));
  for (size_t from = 0; from < ranks.size(); ++from) {
    const std::span<real> share = part_of(all, shares.of(from));
    if (from == 0) std::ranges::copy(own, share.begin());
    if (from > 0) ranks.receive(from, std::as_writable_bytes(share));
  }
}

}  // namespace cria
