// The books of the paged cache: who uses which block, what it holds, and which is taken next.
#include "chapters/22-serving/block_pool.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

const std::vector<TokenId> ab = {1, 2}, cd = {3, 4};

}  // namespace

TEST_CASE("a block is taken once, and only when it is unused") {
  BlockPool pool(2);
  const BlockId first = *pool.take(), second = *pool.take();
  CHECK(first != second);
  CHECK(!pool.take());
  CHECK((pool.used() == 2 && pool.unused() == 0 && pool.shared() == 0));
  pool.share(first);
  CHECK((pool.users(first) == 2 && pool.shared() == 1));
  pool.release(first);
  CHECK(!pool.take());  // the other text still uses it
  CHECK(pool.shared() == 0);
  pool.release(first);
  CHECK(pool.unused() == 1);
  CHECK(*pool.take() == first);
  CHECK_THROWS_AS(BlockPool(1).release(0), ContractError);
  CHECK_THROWS_AS(pool.share(2), ContractError);
  CHECK_THROWS_AS(pool.users(-1), ContractError);
}

TEST_CASE("a name says what the whole text holds up to the block's end") {
  BlockPool pool(4);
  const BlockId first = *pool.take(), second = *pool.take(), third = *pool.take();
  const BlockName of_ab = pool.give_name(first, no_block, ab), of_abcd = pool.give_name(second, of_ab, cd);
  CHECK((of_ab != no_block && of_abcd != no_block && of_ab != of_abcd));
  CHECK(pool.find(no_block, ab) == first);
  CHECK(pool.find(of_ab, cd) == second);
  CHECK(!pool.find(no_block, cd));  // the same tokens after others
  CHECK(!pool.find(of_abcd, cd));
  // What another block holds already is its name; the block itself stays without one.
  CHECK(pool.give_name(third, no_block, ab) == of_ab);
  CHECK(pool.name(third) == no_block);
  CHECK(pool.find(no_block, ab) == first);
  pool.forget_name(first);
  CHECK(!pool.find(no_block, ab));
  CHECK_THROWS_AS(pool.give_name(second, no_block, ab), ContractError);
}

TEST_CASE("unused blocks are found until they are taken, those without a name first, then the longest unused") {
  BlockPool pool(3);
  const BlockId first = *pool.take(), second = *pool.take(), third = *pool.take();
  const BlockName of_ab = pool.give_name(first, no_block, ab);
  pool.give_name(second, of_ab, cd);
  pool.release(second), pool.release(first), pool.release(third);
  CHECK(pool.find(of_ab, cd) == second);
  CHECK(*pool.take() == third);
  CHECK(pool.find(of_ab, cd) == second);
  CHECK(*pool.take() == second);
  CHECK(!pool.find(of_ab, cd));
  // One that is found is in use again, and cannot be taken.
  CHECK(pool.find(no_block, ab) == first);
  pool.share(first);
  CHECK(pool.users(first) == 1);
  CHECK(!pool.take());
}

TEST_CASE("blocks neither get lost nor double under random use") {
  Random random(5);
  BlockPool pool(12);
  std::vector<BlockId> held;  // once for each use
  for (int i = 0; i < 4000; ++i) {
    const std::uint32_t what = random.below(4);
    if (what == 0) {
      if (const std::optional<BlockId> block = pool.take()) {
        CHECK(std::ranges::find(held, *block) == held.end());
        held.push_back(*block);
      }
    } else if (what == 1 && !held.empty()) {
      const BlockId block = held[random.below(std::uint32_t(held.size()))];
      const std::vector<TokenId> tokens = {TokenId(random.below(5))};
      if (pool.name(block) == no_block) pool.give_name(block, no_block, tokens);
      if (const std::optional<BlockId> found = pool.find(no_block, tokens)) pool.share(*found), held.push_back(*found);
    } else if (!held.empty()) {
      const size_t at = random.below(std::uint32_t(held.size()));
      pool.release(held[at]);
      held.erase(held.begin() + std::ptrdiff_t(at));
    }
    size_t used = 0, shared = 0;
    for (BlockId block = 0; block < 12; ++block) {
      const size_t users = size_t(std::ranges::count(held, block));
      REQUIRE(pool.users(block) == users);
      used += users > 0, shared += users > 1;
    }
    REQUIRE((pool.used() == used && pool.shared() == shared));
  }
}
