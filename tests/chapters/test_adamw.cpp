// AdamW, clipping and the schedule: worked examples and properties.
#include "chapters/08-llama/parameters.hpp"
#include "chapters/10-training-step/adamw.hpp"

#include "tests/chapters/tiny_llama.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

TEST_CASE("clipping shortens a long gradient to the norm and leaves a short one alone") {
  CHECK(clip_factor(5, 1) == 0.2);  // the lesson's (3, 4)
  CHECK(clip_factor(4, 1) == 0.25);
  CHECK(clip_factor(0.5, 1) == 1);
  ThreadPool pool(2);
  const std::vector<real> gradient(40000, real(0.5));
  CHECK(global_norm(gradient, pool) == 100);  // a sum of quarters is exact
}

TEST_CASE("the learning rate rises in a line and falls in half a cosine") {
  const Schedule schedule{.peak = 1, .floor = 0.1, .warmup = 10, .total = 110};
  CHECK(learning_rate(schedule, 0) == 0);
  CHECK(learning_rate(schedule, 5) == 0.5);
  CHECK(learning_rate(schedule, 10) == 1);
  CHECK(difference(learning_rate(schedule, 60), 0.55, 2e-16) == "");  // measured: 0, but the cosine may round
  CHECK(learning_rate(schedule, 110) == 0.1);
  CHECK(learning_rate(schedule, 1000) == 0.1);
}

TEST_CASE("norms and the embedding do not decay, unless asked for") {
  for (const bool decay_all : {false, true}) {
    const LlamaParameters weights(tiny()), gradients(tiny());
    std::ranges::fill(weights.flat(), real(1));
    ThreadPool pool(1);
    AdamW optimiser(weights, {.weight_decay = 0.5, .decay_all = decay_all});
    optimiser.step(weights, gradients, 1, 0.1, pool);  // zero gradients: only the decay moves anything
    const real decayed = 1 - real(0.1) * real(0.5);
    CHECK(weights.tensors().layers[0].query(0, 0) == decayed);
    CHECK(weights.tensors().head(0, 0) == decayed);
    CHECK(weights.tensors().embedding(0, 0) == (decay_all ? decayed : 1));
    CHECK(weights.tensors().norm(0) == (decay_all ? decayed : 1));
  }
}

TEST_CASE("every matrix decays and no norm, as is usual in PyTorch, where that is asked for") {
  const LlamaParameters weights(tiny()), gradients(tiny());
  std::ranges::fill(weights.flat(), real(1));
  ThreadPool pool(1);
  AdamW optimiser(weights, {.weight_decay = 0.5, .decay_embedding = true});
  optimiser.step(weights, gradients, 1, 0.1, pool);
  const real decayed = 1 - real(0.1) * real(0.5);
  weights.for_each([&](const std::string& name, const auto& view) {
    CAPTURE(name);
    CHECK(difference(view.span(), std::vector<real>(view.size(), view.shape().size() == 2 ? decayed : 1), 0) == "");
  });
}

TEST_CASE("AdamW: the example of the lesson, worked by hand") {
  const LlamaParameters weights(tiny()), gradients(tiny());
  std::ranges::fill(weights.flat(), real(1));
  ThreadPool pool(1);
  AdamW optimiser(weights, {.beta1 = 0.5, .beta2 = 0.75, .eps = 0, .weight_decay = 0.5});
  const real& weight = weights.tensors().layers[0].query(0, 0);
  std::ranges::fill(gradients.flat(), real(2));
  optimiser.step(weights, gradients, 1, 0.1, pool);
  CHECK(difference(weight, 0.85, 0.8 * epsilon) == "");  // measured: 0.2, as 0.85 is no binary number
  // The same gradient as -4 that was clipped to the half.
  std::ranges::fill(gradients.flat(), real(-4));
  optimiser.step(weights, gradients, 0.5, 0.1, pool);
  CHECK(difference(weight, 0.85 - 0.1 * (0.425 - 1.0 / 3), epsilon) == "");  // measured: 0.27
}

TEST_CASE("AdamW's first step is the learning rate against the gradient's sign, whatever its size") {
  const LlamaParameters weights(tiny()), gradients(tiny());
  std::ranges::fill(gradients.flat(), real(1e-4));
  gradients.flat()[0] = real(-123);
  ThreadPool pool(1);
  AdamW optimiser(weights, {.eps = 0, .weight_decay = 0});
  optimiser.step(weights, gradients, 1, 0.1, pool);
  // Measured: 0.0625 epsilon, one unit in the last place of 0.1.
  CHECK(difference(weights.flat()[0], real(0.1), 0.2 * epsilon) == "");
  CHECK(difference(weights.flat()[1], -real(0.1), 0.2 * epsilon) == "");
}
