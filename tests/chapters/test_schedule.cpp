// The schedule, a decision at a time.
#include "chapters/22-serving/schedule.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

using Positions = std::vector<size_t>;
using Texts = std::vector<TextState>;

constexpr ServingLimits limits{.block_size = 4, .places = 3, .chunk = 8};

/// A text that draws: all but its newest token is computed.
TextState drawing(size_t known) { return {.known = known, .computed = known - 1, .blocks = (known + 2) / 4}; }

}  // namespace

TEST_CASE("schedule: who draws gets a position in every pass, prompts share the chunk in order of arrival") {
  const Texts running = {{.known = 20, .computed = 9, .blocks = 3}, drawing(6), {.known = 30}};
  CHECK(next_pass(running, {}, 100, limits).positions == Positions{8, 1, 0});
  const Texts later = {{.known = 20, .computed = 17, .blocks = 5}, drawing(7), {.known = 30}};
  CHECK(next_pass(later, {}, 100, limits).positions == Positions{3, 1, 5});
}

TEST_CASE("schedule: nobody who waits overtakes another") {
  const Texts waiting = {{.known = 3}, {.known = 40}, {.known = 2}};
  const Plan plan = next_pass({}, waiting, 5, limits);
  CHECK(plan.admitted == 1);  // the second needs 11 blocks; the third would fit
  CHECK(plan.positions == Positions{3});
  CHECK(next_pass({}, waiting, 13, limits).positions == Positions{3, 5});      // and then the chunk is used up
  CHECK(next_pass(Texts(3, drawing(5)), waiting, 100, limits).admitted == 0);  // no place
}

TEST_CASE("schedule: a text is admitted where all that it knows and a token more has room") {
  const Texts eight = {{.known = 8}};
  CHECK(next_pass({}, eight, 2, limits).admitted == 0);
  CHECK(next_pass({}, eight, 3, limits).admitted == 1);
  // Blocks that it found and nobody else uses count as unused, and it needs them; others come on top.
  const Texts found = {{.known = 8, .computed = 4, .blocks = 1, .revived = 1}};
  CHECK(next_pass({}, found, 1, limits).admitted == 0);
  CHECK(next_pass({}, found, 2, limits).admitted == 1);
  const Texts copies = {{.known = 8, .computed = 7, .blocks = 2, .copies = true}};
  CHECK(next_pass({}, copies, 1, limits).admitted == 0);
  CHECK(next_pass({}, copies, 2, limits).admitted == 1);
}

TEST_CASE("schedule: what a running text still has to read is not given away") {
  const Texts running = {{.known = 20}}, waiting = {{.known = 1}};
  const ServingLimits half{.block_size = 4, .places = 3, .chunk = 10};
  const Texts read = {{.known = 20, .computed = 12, .blocks = 3}};
  CHECK(next_pass(read, waiting, 2, half).admitted == 0);
  CHECK(next_pass(read, waiting, 3, half).admitted == 1);
  CHECK(next_pass(Texts{{.known = 30}}, waiting, 100, half).admitted == 0);  // it has not got all its blocks yet
  const Plan plan = next_pass(running, waiting, 6, ServingLimits{.block_size = 4, .places = 3, .chunk = 30});
  CHECK(plan.positions == Positions{20, 1});
}

TEST_CASE("schedule: when blocks run out the latest goes, and the earliest never does") {
  const Texts running = {drawing(5), drawing(9), drawing(6)};  // the first two need a block each
  CHECK(!next_pass(running, {}, 2, limits).preempt);
  CHECK(next_pass(running, {}, 1, limits).preempt);
  CHECK(next_pass(running, {}, 1, limits).positions.empty());
  // Whoever runs comes before whoever waits, and what that one found.
  const Texts waiting = {{.known = 9, .computed = 8, .blocks = 2, .revived = 2}};
  const Plan plan = next_pass(running, waiting, 0, limits);
  CHECK((!plan.preempt && plan.admitted == 0));
  CHECK_THROWS_AS(next_pass(Texts{drawing(5)}, {}, 0, limits), ContractError);
}

TEST_CASE("schedule: under random loads every text ends, in few more passes than it needs alone") {
  Random random(2);
  for (int round = 0; round < 20; ++round) {
    // As the engine does, without a model: blocks are counted, and nothing is shared.
    const size_t blocks = 12 + random.below(20);
    struct Text {
      TextState state;
      size_t left;  // to draw
      size_t arrival;
    };
    std::vector<Text> running, waiting;
    size_t arrived = 0, ended = 0, unused = blocks, pass = 0;
    for (; ended < 30; ++pass) {
      REQUIRE(pass < 2000);
      if (arrived < 30 && random.below(3) > 0) {
        waiting.push_back({{.known = 1 + random.below(24)}, 1 + random.below(15), arrived});
        ++arrived;
      }
      const auto states = [](const std::vector<Text>& texts) {
        Texts all;
        for (const Text& text : texts) all.push_back(text.state);
        return all;
      };
      bool threw_out = false;
      Plan plan;
      while ((plan = next_pass(states(running), threw_out ? Texts() : states(waiting), unused, limits)).preempt) {
        threw_out = true;
        Text last = running.back();
        running.pop_back();
        unused += last.state.blocks;
        last.state.computed = last.state.blocks = 0;
        waiting.insert(waiting.begin(), last);
      }
      for (size_t i = 0; i < plan.admitted; ++i) running.push_back(waiting[i]);
      waiting.erase(waiting.begin(), waiting.begin() + std::ptrdiff_t(plan.admitted));
      REQUIRE(plan.positions.size() == running.size());
      REQUIRE(running.size() <= limits.places);
      size_t read = 0;
      for (size_t i = 0; i < running.size(); ++i) {
        Text& text = running[i];
        if (i > 0) REQUIRE(running[i - 1].arrival < text.arrival);
        const size_t left = text.state.known - text.state.computed, positions = plan.positions[i];
        REQUIRE(positions <= left);
        if (i == 0 || left == 1) REQUIRE(positions > 0);
        if (left > 1) read += positions;
        const size_t held = (text.state.computed + positions + 3) / 4;
        REQUIRE(held - text.state.blocks <= unused);
        unused -= held - text.state.blocks;
        text.state.computed += positions, text.state.blocks = held;
        if (text.state.computed == text.state.known && --text.left > 0) ++text.state.known;
      }
      REQUIRE(read <= limits.chunk);
      for (size_t i = running.size(); i-- > 0;)
        if (running[i].left == 0) {
          unused += running[i].state.blocks;
          running.erase(running.begin() + std::ptrdiff_t(i));
          ++ended;
        }
    }
    CHECK(unused == blocks);
  }
}
