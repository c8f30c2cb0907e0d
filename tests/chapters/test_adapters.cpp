// Chapter 15, adapters of a whole model: what stays as it was, what learns, merging, QLoRA, and the same bits however
// the work is divided.
#include <algorithm>
#include <cmath>
#include <utility>

#include "chapters/10-training-step/trainer.hpp"
#include "chapters/12-open-weights/open_model.hpp"
#include "chapters/15-adapters/base_fingerprint.hpp"
#include "chapters/15-adapters/merge.hpp"
#include "lib/tensor/tensor.hpp"
#include "tests/chapters/adapted_model.hpp"
#include "tests/chapters/random_batch.hpp"
#include "tests/chapters/tiny_llama.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

const LoraOptions everything{
    .rank = 3,
    .alpha = 6,
    .targets = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj", "lm_head"}};

}  // namespace

TEST_CASE("a new adapter changes nothing, bit for bit") {
  const LlamaParameters base = base_of(GENERATE(0, 1) ? tied_tiny() : tiny());
  Lora lora(base.config(), everything);
  Random random(3);
  initialise(lora, random);
  CHECK(std::ranges::any_of(lora.linears()[0].a.span(), [](real value) { return value != 0; }));
  const LlamaWeights adapted = lora.attached_to(base);
  CHECK(in_one_pass(adapted) == in_one_pass(base));
  CHECK(decoded(adapted, 1) == decoded(base, 1));
}

TEST_CASE("A is drawn uniformly from within the bound, and B is zero") {
  const LlamaConfig config = published_config();
  const Lora lora(config, {.rank = 8});
  fill(lora, 1);
  Random random(3);
  initialise(lora, random);
  for (const AdaptedLinear& linear : lora.linears()) {
    const double bound = 1 / std::sqrt(double(linear.shape[1]));
    double sum = 0, squares = 0;
    for (const real a : linear.a.span()) {
      CHECK(std::abs(a) <= real(bound));
      sum += a, squares += double(a) * a;
    }
    const double count = double(linear.a.size());
    CHECK(std::abs(sum / count) < 4 * bound / std::sqrt(3 * count));
    CHECK(std::abs(squares / count / (bound * bound / 3) - 1) < 4 * std::sqrt(0.8 / count));
    for (const real b : linear.b.span()) CHECK(b == 0);
  }
}

TEST_CASE("the scale is alpha over the rank, or over its root") {
  CHECK(lora_scale({.rank = 16, .alpha = 8}) == 0.5);
  CHECK(lora_scale({.rank = 16, .alpha = 8, .rank_stabilised = true}) == 2);
}

TEST_CASE("merged weights compute what the base computes with its adapter, and unmerged ones are the base's") {
  const LlamaParameters base = base_of(tiny());
  const Lora lora(tiny(), everything);
  fill(lora, 2);
  const std::vector<real> adapted = in_one_pass(lora.attached_to(base));
  CHECK(largest_difference(adapted, in_one_pass(base)) > 0.1);
  const LlamaParameters weights = merged(base, lora);
  CHECK(largest_difference(in_one_pass(weights), adapted) < 40 * epsilon);  // measured: 9 epsilon
  unmerge(weights, lora);
  CHECK(largest_difference(weights.flat(), base.flat()) < 2 * epsilon);  // measured: 0.4 epsilon
}

TEST_CASE("merging an adapter of a tied head gives the head the change, and leaves the embedding") {
  const LlamaParameters base = base_of(tied_tiny());
  const Lora lora(tied_tiny(), {.rank = 2, .alpha = 4, .targets = {"lm_head"}});
  fill(lora, 2);
  const LlamaParameters weights = merged(base, lora);
  CHECK_FALSE(weights.config().tied_embeddings);
  CHECK(difference(weights.tensors().embedding, base.tensors().embedding, 0) == "");
  CHECK(largest_difference(in_one_pass(weights), in_one_pass(lora.attached_to(base))) < 40 * epsilon);
  CHECK(largest_difference(in_one_pass(weights), in_one_pass(base)) > 0.1);
  CHECK_THROWS_AS(merge(base, lora), ContractError);
}

TEST_CASE("decoding with an adapter gives what one pass gives, with the same bits on any number of threads") {
  const LlamaParameters base = base_of(tiny());
  const Lora lora(tiny(), everything);
  fill(lora, 2);
  const LlamaWeights adapted = lora.attached_to(base);
  const std::vector<real> alone = decoded(adapted, 1);
  CHECK(largest_difference(alone, in_one_pass(adapted)) < 40 * epsilon);
  for (const size_t threads : {2, 3}) CHECK(decoded(adapted, threads) == alone);
}

TEST_CASE("weights with an adapter follow what it learns") {
  const LlamaParameters base = base_of(tiny());
  const Lora lora(tiny(), everything);
  const LlamaWeights adapted = lora.attached_to(base);
  CHECK(in_one_pass(adapted) == in_one_pass(base));
  fill(lora, 2);
  CHECK(largest_difference(in_one_pass(adapted), in_one_pass(base)) > 0.05);
  CHECK(in_one_pass(adapted) == in_one_pass(lora.attached_to(base)));
}

TEST_CASE("training an adapter changes no bit of the base, has moments for A and B only, and lowers the loss") {
  const LlamaParameters base = base_of(tiny());
  const std::vector<real> before(base.flat().begin(), base.flat().end());
  Lora lora(tiny(), {.rank = 2, .alpha = 4});
  Random random(3);
  initialise(lora, random);
  ThreadPool pool(2);
  Trainer trainer(tiny(), lora.over(base), {.batch = 4, .positions = 8, .lanes = 2}, pool);
  const TokenBatch batch = random_batch(4, 8, 1);
  const double loss = trainer.evaluate(batch);
  for (size_t step = 0; step < 30; ++step) trainer.step(batch, 0.02);
  CHECK(trainer.evaluate(batch) < 0.5 * loss);  // measured: 0.30 of it
  CHECK(difference(base.flat(), before, 0) == "");
  CHECK(trainer.optimiser().first_moment().flat().size() == lora.flat().size());
}

TEST_CASE(
    "an adapter learns with the same bits at 1, 2 and 4 threads, dropout included, and does not drop when it is "
    "judged") {
  std::vector<real> first;
  std::vector<double> first_losses;
  for (const size_t threads : {1, 2, 4}) {
    const LlamaParameters base = base_of(tiny());
    Lora lora(tiny(), {.rank = 2, .alpha = 4, .dropout = 0.3});
    Random random(3);
    initialise(lora, random);
    ThreadPool pool(threads);
    Trainer trainer(tiny(), lora.over(base), {.batch = 7, .positions = 12, .micro_batch = 1, .lanes = 4}, pool);
    std::vector<double> losses;
    for (std::uint64_t step = 0; step < 5; ++step) losses.push_back(trainer.step(random_batch(7, 12, step), 0.02).loss);
    const TokenBatch held_out = random_batch(7, 12, 9);
    const double judged = trainer.evaluate(held_out);
    LossEvaluator plain(tiny(), 7, 12, false);
    CHECK(difference(judged / plain.forward(lora.attached_to(base), held_out), 1, 8 * epsilon) == "");
    losses.push_back(judged);
    if (first.empty()) first.assign(lora.flat().begin(), lora.flat().end()), first_losses = losses;
    CHECK(losses == first_losses);
    CHECK(difference(lora.flat(), first, 0) == "");
  }
}

TEST_CASE("over packed weights an adapter gets the gradient of the numbers that they stand for") {
  const TemporaryFolder folder;
  const ElementType type = GENERATE(ElementType::f16, ElementType::q8_0, ElementType::q4_0);
  const PackedModel model = packed_model(folder, type);
  const LlamaConfig& config = model.config.llama;
  const LlamaParameters floats = open_model(folder / "m.gguf").weights;
  const std::uint64_t base = base_fingerprint(model.weights, 1);
  CHECK(base == base_fingerprint(open_packed_model(folder / "m.gguf").weights, 1));
  CHECK(base != base_fingerprint(floats, 1));
  Lora lora(config, {.rank = 2, .alpha = 4});
  fill(lora, 2, 0.1);
  const ParameterSet of_packed(lora.layout()), of_floats(lora.layout());
  const double loss = gradients_over(lora, model.weights, of_packed),
               expected = gradients_over(lora, floats, of_floats);
  CAPTURE(int(type), loss, expected);
  // Float16 is multiplied as it stands. With blocks forward rounds activations to 8 bits, to a share of 1/254 of the
  // largest of 32, and the gradient takes no notice of that. Measured, at most: 2.7e-7; 0.027 in blocks.
  const double tolerance = type == ElementType::f16 ? 1e-6 : 0.06;
  CHECK(std::abs(loss / expected - 1) < tolerance);
  CHECK(largest_difference(of_packed.flat(), of_floats.flat()) < tolerance);
}

TEST_CASE("a base is told by each of its numbers, with an adapter or without") {
  const LlamaParameters weights = base_of(tiny()), other(tiny());
  std::ranges::copy(weights.flat(), other.flat().begin());
  const std::uint64_t sum = base_fingerprint(weights, 1);
  CHECK(base_fingerprint(other, 1) == sum);
  CHECK(base_fingerprint(other, 2) != sum);
  CHECK(base_fingerprint(Lora(tiny(), {}).attached_to(other), 1) == sum);
  for (const size_t place : {size_t{0}, other.flat().size() / 2, other.flat().size() - 1}) {
    CAPTURE(place);
    const real before = std::exchange(other.flat()[place], real(7));
    CHECK(base_fingerprint(other, 1) != sum);
    other.flat()[place] = before;
  }
}

TEST_CASE("what is no adapter is refused in a line") {
  const auto refusal = [](const LoraOptions& options) {
    try {
      Lora(tiny(), options);
    } catch (const UserError& refused) {
      return std::string(refused.what());
    }
    return std::string();
  };
  CHECK_THAT(refusal({.rank = 0}), contains("the rank is 0, expected at least 1"));
  CHECK_THAT(refusal({.rank = 12}), contains("expected at most 11"));
  CHECK_THAT(refusal({.alpha = 0}), contains("alpha is 0"));
  CHECK_THAT(refusal({.dropout = 1}), contains("dropout is 1"));
  CHECK_THAT(refusal({.targets = {"q_proj", "wq"}}),
             contains("there is no linear layer \"wq\", expected some of q_proj"));
  CHECK_THAT(refusal({.targets = {}}), contains("no target"));
}

#ifdef CRIA_DOUBLE
// With a step of 1e-4, below 5e-11. With 1e-3 up to 1.4e-7, as the first norm divides by embeddings of about 0.05.
TEST_CASE("an adapter's gradient in a whole model agrees with finite differences to 1e-8, dropout included") {
  const LlamaParameters base = base_of(GENERATE(0, 1) ? tied_tiny() : tiny());
  LoraOptions options = everything;
  options.dropout = GENERATE(0.0, 0.3);
  const Lora lora(base.config(), options);
  fill(lora, 2);
  const ParameterSet gradients(lora.layout());
  const Trainable trainable = lora.over(base);
  const LaneModel lane = trainable.lane(gradients);
  if (lane.draw_from) lane.draw_from(5);
  const TokenBatch batch = random_batch(2, 6, 3);
  LossEvaluator evaluator(base.config(), 2, 6, true);
  evaluator.forward_backward(lane.weights, batch, 1, lane.gradients);
  CHECK(gradient_error(
            lora.flat(), gradients.flat(), [&] { return evaluator.forward(lane.weights, batch); }, 300, 1e-4) < 1e-8);
}
#endif
