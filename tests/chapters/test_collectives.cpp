// Transfers among ranks that are threads, and the collectives made of them: what arrives, in which order it is summed,
// how many bytes it takes, and what becomes of a rank that is lost.
#include "chapters/21-several-machines/collectives.hpp"

#include <algorithm>
#include <numeric>
#include <thread>
#include <vector>

#include "chapters/21-several-machines/in_process.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

using Lanes = std::vector<std::vector<real>>;

// Of the lanes that a rank has.
std::vector<std::span<real>> spans_of(Lanes& lanes, Range own) {
  std::vector<std::span<real>> spans;
  for (size_t i = own.begin; i < own.end; ++i) spans.emplace_back(lanes[i]);
  return spans;
}

// The lanes' sum, each rank's share from that rank.
std::vector<real> summed(Lanes lanes, size_t ranks, size_t parts, size_t piece, std::vector<std::uint64_t>* sent = {}) {
  const Shares of_lanes{ranks, lanes.size(), lanes.size()}, shares{ranks, parts, lanes[0].size()};
  std::vector<real> sum(lanes[0].size());
  run_ranks(ranks, [&](Communicator& here) {
    const auto own = spans_of(lanes, of_lanes.of(here.rank()));
    std::vector<real> passing(piece);
    sum_in_lane_order(here, own, shares, passing);
    const Range share = shares.of(here.rank());
    std::ranges::copy(own[0].subspan(share.begin, share.size()), sum.begin() + std::ptrdiff_t(share.begin));
    if (sent) (*sent)[here.rank()] = here.bytes_sent();
  });
  return sum;
}

std::vector<real> random_numbers(size_t count, std::uint64_t seed) {
  const Array<real, 1> numbers = random_array<1>({count}, seed);
  return {numbers.begin(), numbers.end()};
}

}  // namespace

TEST_CASE("several machines: the sum of the lesson, worked by hand") {
  // 2²⁴ in float, 2⁵³ in double: 1 more is lost in rounding.
  const real large = real(2 / epsilon);
  const Lanes lanes = {{1, 1}, {large, 2}, {1, 3}, {-large, 4}};
  // ((1 + large) + 1) - large = (large + 1) - large = 0, where 2 would be exact; 1 + 2 + 3 + 4 = 10.
  for (const size_t ranks : {1, 2, 4}) {
    CAPTURE(ranks);
    CHECK(summed(lanes, ranks, 2, 1) == std::vector<real>{0, 10});
  }
}

TEST_CASE("shares: each number has one owner, and parts stay whole") {
  CHECK(Shares{4, 7, 7}.parts_of(0).end == 1);  // 0 | 1 2 | 3 4 | 5 6
  CHECK(Shares{4, 7, 7}.parts_of(3).begin == 5);
  CHECK(Shares{2, 4, 10}.of(1).begin == 5);
  CHECK(Shares{3, 4, 10}.of(1).begin == 2);  // part 1 of 2 | 3 | 2 | 3
  CHECK(Shares{3, 4, 10}.of(1).end == 5);
  for (const size_t ranks : {1, 2, 3, 5, 8})
    for (const size_t parts : {8, 13, 64})
      for (const size_t numbers : {0, 3, 64, 1000}) {
        const Shares shares{ranks, parts, numbers};
        CAPTURE(ranks, parts, numbers);
        size_t part = 0, at = 0;
        for (size_t rank = 0; rank < ranks; ++rank) {
          CHECK(shares.parts_of(rank).begin == part);
          CHECK(shares.of(rank).begin == at);
          part = shares.parts_of(rank).end, at = shares.of(rank).end;
        }
        CHECK(part == parts);
        CHECK(at == numbers);
      }
}

TEST_CASE("a sum in lane order has the bits of one process's, for any ranks, and costs what is said") {
  const size_t count = 101, lane_count = 7;
  Lanes lanes;
  for (size_t i = 0; i < lane_count; ++i) lanes.push_back(random_numbers(count, i));
  std::vector<real> expected = lanes[0];
  for (size_t i = 1; i < lane_count; ++i)
    for (size_t n = 0; n < count; ++n) expected[n] += lanes[i][n];
  for (const size_t ranks : {1, 2, 3, 5, 7})
    for (const size_t piece : {1, 16, 500}) {
      CAPTURE(ranks, piece);
      std::vector<std::uint64_t> sent(ranks);
      CHECK(summed(lanes, ranks, 16, piece, &sent) == expected);
      const size_t last_share = Shares{ranks, 16, count}.of(ranks - 1).size();
      for (size_t rank = 0; rank + 1 < ranks; ++rank) CHECK(sent[rank] == sizeof(real) * count);
      CHECK(sent[ranks - 1] == sizeof(real) * (count - last_share));
    }
}

TEST_CASE("a broadcast reaches all, in pieces, and each rank but the last sends it once") {
  const std::vector<real> numbers = random_numbers(100000, 1);  // more than one piece
  for (const size_t ranks : {1, 2, 5}) {
    CAPTURE(ranks);
    std::vector<int> right(ranks);
    std::vector<std::uint64_t> sent(ranks);
    run_ranks(ranks, [&](Communicator& here) {
      std::vector<real> mine = here.rank() == 0 ? numbers : std::vector<real>(numbers.size());
      broadcast(here, std::span(mine));
      right[here.rank()] = mine == numbers;
      sent[here.rank()] = here.bytes_sent();
    });
    for (size_t rank = 0; rank < ranks; ++rank) {
      CHECK(right[rank]);
      CHECK(sent[rank] == (rank + 1 < ranks ? sizeof(real) * numbers.size() : 0));
    }
  }
}

TEST_CASE("all-gather gives each rank what the others have, and sends all but the next one's share") {
  for (const size_t ranks : {1, 2, 3, 6})
    for (const size_t count : {2, 61}) {  // with 2 numbers most ranks have none
      CAPTURE(ranks, count);
      const std::vector<real> numbers = random_numbers(count, 2);
      const Shares shares{ranks, 6, count};
      std::vector<int> right(ranks);
      std::vector<std::uint64_t> sent(ranks);
      run_ranks(ranks, [&](Communicator& here) {
        std::vector<real> mine(count, -1);
        const Range own = shares.of(here.rank());
        for (size_t i = own.begin; i < own.end; ++i) mine[i] = numbers[i];
        all_gather(here, std::span(mine), shares);
        right[here.rank()] = mine == numbers;
        sent[here.rank()] = here.bytes_sent();
      });
      for (size_t rank = 0; rank < ranks; ++rank) {
        CHECK(right[rank]);
        const size_t next_share = ranks > 1 ? shares.of((rank + 1) % ranks).size() : count;
        CHECK(sent[rank] == sizeof(real) * (count - next_share));
      }
    }
}

TEST_CASE("scatter and gather are each other's reverse") {
  const std::vector<real> numbers = random_numbers(50, 3);
  for (const size_t ranks : {1, 2, 4}) {
    CAPTURE(ranks);
    const Shares shares{ranks, 7, numbers.size()};
    std::vector<real> back(numbers.size());
    run_ranks(ranks, [&](Communicator& here) {
      const bool leads = here.rank() == 0;
      std::vector<real> own(shares.of(here.rank()).size());
      scatter(here, leads ? std::span<const real>(numbers) : std::span<const real>(), own, shares);
      gather(here, own, leads ? std::span<real>(back) : std::span<real>(), shares);
    });
    CHECK(back == numbers);
  }
}

TEST_CASE("a rank that does not answer is named, and one that fails releases the others") {
  const auto wait_for_one_that_sleeps = [] {
    run_ranks(
        3,
        [](Communicator& here) {
          std::byte bytes[4] = {};
          if (here.rank() == 1) std::this_thread::sleep_for(std::chrono::milliseconds(300));
          if (here.rank() != 1) here.receive(1, bytes);
        },
        std::chrono::milliseconds(50));
  };
  CHECK_THROWS_WITH(wait_for_one_that_sleeps(), contains("rank 1 has not answered for 0.05 s"));
  const auto wait_for_one_that_fails = [] {
    run_ranks(4, [](Communicator& here) {
      std::byte bytes[4] = {};
      if (here.rank() == 2) throw UserError("the disk is full");
      broadcast(here, bytes);
    });
  };
  CHECK_THROWS_WITH(wait_for_one_that_fails(), contains("the disk is full"));
}

TEST_CASE("transfers that make no sense are refused") {
  run_ranks(1, [](Communicator& here) {
    std::byte bytes[4] = {};
    CHECK_THROWS_AS(here.send(0, bytes), ContractError);
    CHECK_THROWS_AS(here.receive(1, bytes), ContractError);
  });
  const auto other_length = [] {
    run_ranks(2, [](Communicator& here) {
      std::byte bytes[4] = {};
      if (here.rank() == 0) here.send(1, bytes);
      if (here.rank() == 1) here.receive(0, std::span(bytes).first(3));
    });
  };
  CHECK_THROWS_AS(other_length(), ContractError);
}
