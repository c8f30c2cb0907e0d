// Chapter 20, the plan of a sweep.
#include <cmath>

#include "chapters/08-llama/parameters.hpp"
#include "chapters/20-scaling-laws/sweep.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

LlamaConfig shape() {
  LlamaConfig config;
  config.vocabulary_size = 500;
  config.layers = 3;
  config.context = 256;
  return config;
}

}  // namespace

TEST_CASE("the operations of a run by hand, and how long a budget lasts") {
  LlamaConfig c;
  c.vocabulary_size = 100, c.dim = 8, c.hidden_dim = 16, c.layers = 1, c.heads = 2, c.kv_heads = 1, c.head_dim = 4;
  // Products: q 64, k and v 32 each, o 64, feed-forward 3 · 128, head 800; in sequences of 3 a token sees 2 on average,
  // each 4 · 2 · 4 operations. 2 · 1376 + 64 = 2816 forward, three times that in training.
  CHECK(run_operations(c, 3, 10) == 10 * 3 * 2816);
  CHECK(std::abs(tokens_of_budget(c, 3, 84480) - 10) < 1e-12);
  // 6 N D has the embedding's 800, the same ones here as the head is tied, and knows nothing of attention.
  CHECK(6 * 10 * parameter_count(c) == 6 * 10 * (1376 + 3 * 8));
}

TEST_CASE("a model of a wanted size is the nearest of its shape") {
  for (const double wanted : {2e4, 1e5, 1e6, 1e7}) {
    const LlamaConfig config = model_of_size(shape(), wanted);
    config.validate();
    CHECK(std::abs(std::log(double(parameter_count(config)) / wanted)) < 0.2);
    CHECK(config.dim % 8 == 0);
    CHECK(config.heads * config.head_dim >= config.dim);
    CHECK(config.layers == 3);
  }
  CHECK(model_of_size(shape(), 1).dim == 8);
}

TEST_CASE("a planned sweep spends equal operations on each size of a budget") {
  SweepShape sweep;
  sweep.model = shape();
  const double budgets[] = {1e12, 9e12};
  const std::vector<PlannedRun> runs = plan_sweep(sweep, budgets);
  REQUIRE(runs.size() == 12);
  for (const PlannedRun& run : runs) {
    // A step more or less is all that it can be off.
    CHECK(std::abs(run.operations / budgets[run.budget] - 1) < 0.51 / double(run.steps));
    CHECK(run.parameters == double(parameter_count(run.config)));
    CHECK(run.tokens == double(run.steps) * 1024);
  }
  CHECK(runs[5].parameters > 8 * runs[0].parameters);
  CHECK(runs[11].parameters > 2 * runs[5].parameters);
  // Sizes below the smallest model are one.
  const double small[] = {2e10};
  CHECK(plan_sweep(sweep, small).size() < 6);
}

TEST_CASE("the learning rate falls with the root of the width") {
  CHECK(rate_of_width(4e-3, 32, 32) == 4e-3);
  CHECK(std::abs(rate_of_width(4e-3, 32, 128) - 2e-3) < 1e-18);
}

TEST_CASE("a budget too small to train is refused") {
  SweepShape sweep;
  sweep.model = shape();
  const double budgets[] = {1e8};
  CHECK_THROWS_WITH(plan_sweep(sweep, budgets), contains("a budget of 1e+08 operations lasts"));
}
