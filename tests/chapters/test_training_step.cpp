#include "chapters/10-training-step/trainer.hpp"

#include <nlohmann/json.hpp>

#include "chapters/10-training-step/cross_entropy.hpp"
#include "lib/base/file.hpp"
#include "lib/formats/npy.hpp"
#include "lib/formats/safetensors.hpp"
#include "tests/allocations.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

constexpr double epsilon = std::numeric_limits<real>::epsilon();

using Ids = std::vector<std::int32_t>;

LlamaConfig tiny() {
  LlamaConfig c;
  c.vocabulary_size = 19, c.dim = 11, c.hidden_dim = 13, c.layers = 2, c.heads = 6, c.kv_heads = 3, c.head_dim = 4;
  c.tied_embeddings = false;
  return c;
}

/// Sequences of ids with each id's successor as its target; the last has none.
struct TokenBatch {
  size_t B, T;
  Ids tokens, targets;

  TokenBatch(Ids ids, size_t sequences)
      : B(sequences), T(ids.size() / sequences), tokens(std::move(ids)), targets(tokens.size(), no_target) {
    for (size_t n = 0; n < tokens.size(); ++n)
      if (n % T + 1 < T) targets[n] = tokens[n + 1];
  }
  operator Batch() const { return {{tokens.data(), {B, T}}, {targets.data(), {B, T}}}; }
};

TokenBatch random_batch(size_t B, size_t T, std::uint64_t seed) {
  Random random(seed);
  Ids ids(B * T);
  for (auto& id : ids) id = static_cast<std::int32_t>(random.below(19));
  return {ids, B};
}

void randomise(const LlamaParameters& weights, std::uint64_t seed) {
  Random random(seed);
  initialise(weights, random);
}

}  // namespace

TEST_CASE("cross entropy: the example of the lesson, worked by hand") {
  // softmax(0, ln 3) = (1/4, 3/4)
  const Array<real, 2> logits = {{0, real(std::log(3.0))}};
  const Ids targets = {1};
  Array<real, 1> log_sum_exp = {0};
  Array<real, 2> d_logits = zeros<real, 2>({1, 2});
  std::vector<real> row(2);
  const View<const std::int32_t, 1> target(targets.data(), {1});
  CHECK(std::abs(cross_entropy_forward(view(logits), target, view(log_sum_exp), row) - std::log(4.0 / 3)) <
        2 * epsilon);
  cross_entropy_backward(view(logits), target, view(log_sum_exp), 1, view(d_logits), row);
  CHECK(difference(d_logits, Array<double, 2>{{0.25, -0.25}}, epsilon) == "");
}

TEST_CASE("cross entropy agrees with PyTorch, rows without a target left out") {
  const Array<real, 2> logits = golden_real<2>("10-training-step/logits.npy");
  const Array<std::int32_t, 1> targets = xt::cast<std::int32_t>(golden<1>("10-training-step/targets.npy"));
  Array<real, 1> log_sum_exp = zeros<real, 1>({5});
  Array<real, 2> d_logits = zeros<real, 2>({5, 7});
  std::vector<real> row(7);
  const double loss = cross_entropy_forward(view(logits), view(targets), view(log_sum_exp), row);
  CHECK(std::abs(loss / golden<1>("10-training-step/loss_sum.npy")(0) - 1) < 2 * epsilon);
  const Array<double, 2> expected = golden<2>("10-training-step/d_logits_times_quarter.npy");
  cross_entropy_backward(view(logits), view(targets), view(log_sum_exp), real(0.25), view(d_logits), row);
  CHECK(relative_error(d_logits, expected) < 4 * epsilon);
  cross_entropy_backward(view(logits), view(targets), view(log_sum_exp), real(0.25), view(d_logits), row);
  CHECK(relative_error(d_logits, xt::eval(2 * expected)) < 4 * epsilon);
  const Ids beyond = {0, 1, 2, 3, 7};
  CHECK_THROWS_AS(cross_entropy_forward(view(logits), {beyond.data(), {5}}, view(log_sum_exp), row), ContractError);
}

#ifdef CRIA_DOUBLE
TEST_CASE("cross entropy's gradient agrees with finite differences to 1e-8") {
  Array<real, 2> logits = random_array<2>({4, 6}, 1, 3), d_logits = zeros<real, 2>({4, 6});
  const Ids ids = {0, 5, no_target, 2};
  const View<const std::int32_t, 1> targets(ids.data(), {4});
  Array<real, 1> log_sum_exp = zeros<real, 1>({4});
  std::vector<real> row(6);
  const auto loss = [&] { return cross_entropy_forward(view(logits), targets, view(log_sum_exp), row); };
  loss();
  cross_entropy_backward(view(logits), targets, view(log_sum_exp), 1, view(d_logits), row);
  CHECK(gradient_error(view(logits).span(), view(d_logits).span(), loss) < 1e-8);
}
#endif

TEST_CASE("huge logits give finite losses") {
  const Array<real, 2> logits = {{real(1e4), 0}, {real(-1e4), real(1e4)}};
  const Ids targets = {1, 1};
  Array<real, 1> log_sum_exp = zeros<real, 1>({2});
  std::vector<real> row(2);
  CHECK(cross_entropy_forward(view(logits), {targets.data(), {2}}, view(log_sum_exp), row) == 1e4);
}

TEST_CASE("clipping shortens a long gradient to the norm and leaves a short one alone") {
  CHECK(clip_factor(5, 1) == 0.2);  // the lesson's (3, 4)
  CHECK(clip_factor(4, 1) == 0.25);
  CHECK(clip_factor(0.5, 1) == 1);
  ThreadPool pool(2);
  const std::vector<real> gradient(40000, real(0.5));
  CHECK(std::abs(global_norm(gradient, pool) / 100 - 1) < 4 * epsilon);
}

TEST_CASE("the learning rate rises in a line and falls in half a cosine") {
  const Schedule schedule{.peak = 1, .floor = 0.1, .warmup = 10, .total = 110};
  CHECK(learning_rate(schedule, 0) == 0);
  CHECK(learning_rate(schedule, 5) == 0.5);
  CHECK(learning_rate(schedule, 10) == 1);
  CHECK(std::abs(learning_rate(schedule, 60) - 0.55) < 1e-15);
  CHECK(learning_rate(schedule, 110) == 0.1);
  CHECK(learning_rate(schedule, 1000) == 0.1);
}

TEST_CASE("ten training steps agree with PyTorch: losses, gradient norms and weights") {
  const LlamaParameters weights(tiny());
  std::ranges::copy(golden_real<1>("10-training-step/parameters.npy"), weights.flat().begin());
  const Array<std::int32_t, 3> batches = xt::cast<std::int32_t>(golden<3>("10-training-step/batches.npy"));
  const Array<double, 1> losses = golden<1>("10-training-step/losses.npy"),
                         norms = golden<1>("10-training-step/gradient_norms.npy");
  ThreadPool pool(2);
  const size_t lanes = GENERATE(1, 3, 4);
  Trainer trainer(weights, {.batch = 4, .positions = 9, .micro_batch = 2, .lanes = lanes, .clip_norm = 1}, pool);
  const Schedule schedule{.peak = 0.02, .floor = 0.002, .warmup = 3, .total = 10};
  // Rounding grows with the steps; how much of these bounds is used is not yet recorded.
  for (size_t step = 0; step < 10; ++step) {
    CAPTURE(step);
    const Ids ids(batches.data() + step * 36, batches.data() + (step + 1) * 36);
    const StepResult result = trainer.step(TokenBatch(ids, 4), learning_rate(schedule, double(step + 1)));
    CHECK(std::abs(result.loss / losses(step) - 1) < 30 * epsilon);
    CHECK(std::abs(result.gradient_norm / norms(step) - 1) < 150 * epsilon);
  }
  const Array<double, 1> trained = golden<1>("10-training-step/trained_parameters.npy");
  CHECK(relative_error(array(View<real, 1>(weights.flat().data(), {trained.size()})), trained) < 1000 * epsilon);
}

TEST_CASE("the loss and the weights have the same bits at 1, 2 and 4 threads") {
  std::vector<real> first;
  std::vector<double> first_losses;
  for (const size_t threads : {1, 2, 4}) {
    const LlamaParameters weights(tiny());
    randomise(weights, 1);
    ThreadPool pool(threads);
    Trainer trainer(weights, {.batch = 7, .positions = 12, .micro_batch = 1, .lanes = 4}, pool);
    std::vector<double> losses;
    for (std::uint64_t step = 0; step < 5; ++step) losses.push_back(trainer.step(random_batch(7, 12, step), 0.01).loss);
    if (first.empty()) first.assign(weights.flat().begin(), weights.flat().end()), first_losses = losses;
    CHECK(losses == first_losses);
    CHECK(std::ranges::equal(weights.flat(), first));
  }
}

TEST_CASE("how a batch is split into lanes and micro-batches changes the result by rounding only") {
  std::vector<real> first;
  for (const auto& [lanes, micro_batch] : {std::pair<size_t, size_t>{1, 6}, {1, 1}, {2, 3}, {3, 1}, {6, 4}}) {
    const LlamaParameters weights(tiny());
    randomise(weights, 1);
    ThreadPool pool(2);
    Trainer trainer(weights, {.batch = 6, .positions = 12, .micro_batch = micro_batch, .lanes = lanes}, pool);
    trainer.step(random_batch(6, 12, 1), 1e-3);
    if (first.empty()) first.assign(weights.flat().begin(), weights.flat().end());
    CAPTURE(lanes, micro_batch);
    // Adam divides by the gradient's size, so tiny gradients turn rounding into a visible part of a step of 1e-3.
    double largest = 0;
    for (size_t i = 0; i < first.size(); ++i)
      largest = std::max<double>(largest, std::abs(weights.flat()[i] - first[i]));
    CHECK(largest < 1e-6 * (sizeof(real) == 4 ? 1 : 1e-6));
  }
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

TEST_CASE("AdamW: the example of the lesson, worked by hand") {
  const LlamaParameters weights(tiny()), gradients(tiny());
  std::ranges::fill(weights.flat(), real(1));
  ThreadPool pool(1);
  AdamW optimiser(weights, {.beta1 = 0.5, .beta2 = 0.75, .eps = 0, .weight_decay = 0.5});
  const real& weight = weights.tensors().layers[0].query(0, 0);
  std::ranges::fill(gradients.flat(), real(2));
  optimiser.step(weights, gradients, 1, 0.1, pool);
  CHECK(std::abs(weight - 0.85) < epsilon);
  // The same gradient as -4 that was clipped to the half.
  std::ranges::fill(gradients.flat(), real(-4));
  optimiser.step(weights, gradients, 0.5, 0.1, pool);
  CHECK(std::abs(weight - (0.85 - 0.1 * (0.425 - 1.0 / 3))) < 2 * epsilon);
}

TEST_CASE("AdamW's first step is the learning rate against the gradient's sign, whatever its size") {
  const LlamaParameters weights(tiny()), gradients(tiny());
  std::ranges::fill(gradients.flat(), real(1e-4));
  gradients.flat()[0] = real(-123);
  ThreadPool pool(1);
  AdamW optimiser(weights, {.eps = 0, .weight_decay = 0});
  optimiser.step(weights, gradients, 1, 0.1, pool);
  CHECK(std::abs(weights.flat()[0] - real(0.1)) < 2 * epsilon);
  CHECK(std::abs(weights.flat()[1] + real(0.1)) < 2 * epsilon);
}

TEST_CASE("a loss that is not finite leaves the weights as they were") {
  const LlamaParameters weights(tiny());
  randomise(weights, 1);
  weights.tensors().norm(0) = std::numeric_limits<real>::infinity();
  const std::vector<real> before(weights.flat().begin(), weights.flat().end());
  ThreadPool pool(1);
  Trainer trainer(weights, {.batch = 2, .positions = 4}, pool);
  CHECK_FALSE(std::isfinite(trainer.step(random_batch(2, 4, 1), 0.1).loss));
  CHECK(std::ranges::equal(weights.flat(), before));
}

TEST_CASE("a training step allocates nothing after the first") {
  const LlamaParameters weights(tiny());
  randomise(weights, 1);
  ThreadPool pool(1);
  Trainer trainer(weights, {.batch = 4, .positions = 8}, pool);
  const TokenBatch batch = random_batch(4, 8, 1);
  trainer.step(batch, 0.01);
  const size_t before = allocations();
  trainer.step(batch, 0.01);
  CHECK(allocations() == before);
}

TEST_CASE("five AdamW steps give the reference's losses and weights (CRIA_CASES)") {
  const auto cases = cases_folder();
  if (!cases) return;
  const std::filesystem::path folder = *cases / "forward" / "adamw_decay_all";
  const auto expected = nlohmann::json::parse(read_file(folder / "expected.json"));
  const auto config_json = nlohmann::json::parse(read_file(folder / "config.json"));
  LlamaConfig c;
  c.vocabulary_size = config_json["vocab_size"], c.dim = config_json["hidden_size"],
  c.hidden_dim = config_json["intermediate_size"];
  c.layers = config_json["num_hidden_layers"], c.heads = config_json["num_attention_heads"],
  c.kv_heads = config_json["num_key_value_heads"];
  c.head_dim = c.dim / c.heads, c.norm_eps = config_json["rms_norm_eps"], c.rope_theta = config_json["rope_theta"];
  c.tied_embeddings = config_json["tie_word_embeddings"];
  const LlamaParameters weights(c);
  const auto load = [&](const char* name, const LlamaParameters& into) {
    const SafetensorsFile file(folder / name);
    into.for_each([&](const std::string& tensor, const auto& view) { file.copy_to(tensor, view); });
  };
  load("initial.safetensors", weights);
  const NpyArray batches = read_npy(folder / "batches.npy");
  const size_t B = batches.shape[2], T = batches.shape[3];
  ThreadPool pool(2);
  Trainer trainer(weights, {.batch = B, .positions = T, .clip_norm = 0, .adamw = {.decay_all = true}}, pool);
  for (size_t step = 0; step < 5; ++step) {
    const auto begin = batches.values.begin() + long(step * B * T);
    const StepResult result =
        trainer.step(TokenBatch(Ids(begin, begin + long(B * T)), B), learning_rate({1e-3, 1e-4, 0, 5}, double(step)));
    CHECK(std::abs(result.loss - expected["steps"][step]["loss_f64"].get<double>()) < 1e-5);
  }
  const LlamaParameters final_weights(c);
  load("final.safetensors", final_weights);
  double largest = 0;
  for (size_t i = 0; i < weights.flat().size(); ++i)
    largest = std::max<double>(largest, std::abs(weights.flat()[i] - final_weights.flat()[i]));
  INFO("largest difference " << largest);
  CHECK(largest < 5e-5);
}
