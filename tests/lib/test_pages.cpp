// Memory that is given back to the system.
#include "lib/base/pages.hpp"

#include <algorithm>

#include "lib/base/arena.hpp"
#include "tests/testing.hpp"

using namespace cria;

TEST_CASE("what is given back is zeros, what lies beside it is not touched, and whole pages take no memory") {
  const size_t page = page_bytes(), bytes = 40 * page;
  const ZeroedBlock block(bytes);
  const std::span<std::byte> all(static_cast<std::byte*>(block.data()), bytes);
  std::ranges::fill(all, std::byte{7});
  const bool can_ask = resident_bytes(all).has_value();
  if (can_ask) CHECK(*resident_bytes(all) >= bytes);
  const auto give = [&](size_t begin, size_t end) { give_back(all.subspan(begin, end - begin)); };
  give(page + 5, 30 * page - 3);
  if (can_ask) CHECK(*resident_bytes(all) <= bytes - 26 * page);  // asked first: to look at it takes it again
  give(35 * page + 10, 35 * page + 20);
  for (const auto& [begin, end] : {std::pair{page + 5, 30 * page - 3}, std::pair{35 * page + 10, 35 * page + 20}}) {
    CHECK(size_t(std::ranges::count(all.subspan(begin, end - begin), std::byte{0})) == end - begin);
    CHECK(all[begin - 1] == std::byte{7});
    CHECK(all[end] == std::byte{7});
  }
  give_back(all.first(0));
  CHECK(all[0] == std::byte{7});
}
