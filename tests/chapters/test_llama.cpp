#include "chapters/08-llama/llama.hpp"

#include "chapters/05-attention/attention.hpp"
#include "chapters/09-sampling/decoder.hpp"
#include "chapters/10-training-step/trainer.hpp"
#include "tests/allocations.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

constexpr double epsilon = std::numeric_limits<real>::epsilon();
// Relative to the largest entry of each tensor; every target passes, float and double. How much of the bounds is used
// is not yet recorded.
constexpr double forward_tolerance = 25 * epsilon, gradient_tolerance = 40 * epsilon;

LlamaConfig untied() {
  LlamaConfig c;
  c.vocabulary_size = 19, c.dim = 11, c.hidden_dim = 13, c.layers = 2, c.heads = 6, c.kv_heads = 3, c.head_dim = 4;
  c.rope_theta = 500000, c.tied_embeddings = false;
  return c;
}
LlamaConfig tied() {
  LlamaConfig c;
  c.vocabulary_size = 23, c.dim = 12, c.hidden_dim = 20, c.layers = 3, c.heads = 4, c.kv_heads = 1, c.head_dim = 6;
  return c;
}

/// A golden model with its tokens.
struct GoldenModel {
  std::string prefix;
  LlamaParameters weights;
  Array<std::int32_t, 2> tokens;

  explicit GoldenModel(const std::string& name)
      : prefix("08-llama/" + name + "_"),
        weights(name == "tied" ? tied() : untied()),
        tokens(xt::cast<std::int32_t>(golden<2>(prefix + "tokens.npy"))) {
    const Array<real, 1> flat = golden_real<1>(prefix + "parameters.npy");
    REQUIRE(flat.size() == weights.flat().size());
    std::ranges::copy(flat, weights.flat().begin());
  }

  /// Row n of (B*T) with its successor as target; the last token of a sequence has none.
  Batch batch(std::vector<std::int32_t>& targets) const {
    const size_t T = tokens.shape(1);
    targets.assign(tokens.size(), -1);
    for (size_t n = 0; n < tokens.size(); ++n)
      if (n % T + 1 < T) targets[n] = tokens.data()[n + 1];
    return {view(tokens), {targets.data(), {tokens.shape(0), T}}};
  }
};

LlamaParameters random_model(const LlamaConfig& config, std::uint64_t seed) {
  LlamaParameters weights(config);
  Random random(seed);
  for (real& value : weights.flat()) value = real(0.3 * random.normal());
  return weights;
}

/// Logits (T, V) of one sequence.
Array<real, 2> logits_of(const LlamaParameters& weights, const std::vector<std::int32_t>& tokens,
                         std::vector<std::int32_t> first_key = {}) {
  LlamaActivations activations(weights.config(), 1, tokens.size(), tokens.size(), Keep::one_layer);
  llama_forward(weights, {View<const std::int32_t, 2>(tokens.data(), {1, tokens.size()}), first_key}, activations);
  Array<real, 2> logits = zeros<real, 2>({tokens.size(), weights.config().vocabulary_size});
  llama_logits(weights, activations.normed, view(logits));
  return logits;
}

}  // namespace

TEST_CASE("the parameters, operations and activations of the tiny model, counted by hand in the lesson") {
  LlamaConfig config;  // stories260K
  CHECK(parameter_count(config) == 260032);
  CHECK(forward_operations_per_token(config, 1) == 518656 + 1280);
  CHECK(forward_operations_per_token(config, 512) == 518656 + 512 * 1280);
  const size_t T = 7;
  CHECK(LlamaActivations(config, 1, T, T, Keep::all_layers).bytes() ==
        (T * 5007 + attention_scratch_size(T)) * sizeof(real));
  config.tied_embeddings = false;
  CHECK(parameter_count(config) == 260032 + 32768);
}

TEST_CASE("a model worked by hand: a layer that writes nothing leaves the residual stream as it is") {
  LlamaConfig config;
  config.vocabulary_size = 2, config.dim = 2, config.hidden_dim = 3, config.layers = 1, config.heads = 1,
  config.kv_heads = 1, config.head_dim = 2;
  config.norm_eps = 0;
  const LlamaParameters weights = random_model(config, 9);
  std::ranges::copy(std::array<real, 4>{1, 7, 7, -1}, weights.tensors().embedding.data());
  std::ranges::fill(weights.tensors().layers[0].output.span(), real(0));
  std::ranges::fill(weights.tensors().layers[0].down.span(), real(0));
  std::ranges::fill(weights.tensors().norm.span(), real(1));
  CHECK(difference(logits_of(weights, {0}), Array<double, 2>{{10, 0}}, 10 * epsilon) == "");
}

TEST_CASE("the model agrees with PyTorch: residual stream, logits, loss and every gradient") {
  const GoldenModel model(GENERATE("untied", "tied"));
  CAPTURE(model.prefix);
  std::vector<std::int32_t> targets;
  const Batch batch = model.batch(targets);
  const size_t B = batch.tokens.shape(0), T = batch.tokens.shape(1), N = B * T;
  LossEvaluator evaluator(model.weights.config(), B, T, true);
  const LlamaParameters gradients(model.weights.config());
  const double count = double(count_targets(batch));
  const double loss = evaluator.forward_backward(model.weights, batch, 1 / count, gradients) / count;

  const auto rows = [&](View<const real, 2> x) { return array(x.reshape(Shape<3>{B, T, x.size() / N})); };
  for (size_t i = 0; i < model.weights.config().layers; ++i) {
    CAPTURE(i);
    CHECK(relative_error(rows(evaluator.activations().layer(i).input),
                         golden<3>(model.prefix + "hidden_" + std::to_string(i) + ".npy")) < forward_tolerance);
    CHECK(relative_error(rows(evaluator.activations().layer(i).output),
                         golden<3>(model.prefix + "hidden_" + std::to_string(i + 1) + ".npy")) < forward_tolerance);
  }
  CHECK(relative_error(rows(evaluator.logits()), golden<3>(model.prefix + "logits.npy")) < forward_tolerance);
  CHECK(std::abs(loss / golden<1>(model.prefix + "loss.npy")(0) - 1) < forward_tolerance);
  const Array<double, 1> expected = golden<1>(model.prefix + "d_parameters.npy");
  CHECK(relative_error(array(View<real, 1>(gradients.flat().data(), {expected.size()})), expected) <
        gradient_tolerance);
}

TEST_CASE("sixty-four greedy tokens through the cache are PyTorch's") {
  const GoldenModel model(GENERATE("untied", "tied"));
  CAPTURE(model.prefix);
  const Array<double, 1> expected = golden<1>(model.prefix + "greedy.npy");
  const size_t chunk = GENERATE(1, 2, 64);
  Decoder decoder(model.weights, 67, chunk);
  std::span<const real> logits = decoder.feed({model.tokens.data(), 3});
  for (const double token : expected) {
    const auto best = static_cast<std::int32_t>(std::ranges::max_element(logits) - logits.begin());
    REQUIRE(best == token);
    logits = decoder.feed({&best, 1});
  }
}

TEST_CASE("decoding through the cache gives the logits of the full forward pass") {
  const LlamaParameters weights = random_model(tied(), 1);
  const std::vector<std::int32_t> tokens = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3};
  const Array<real, 2> full = logits_of(weights, tokens);
  Decoder decoder(weights, tokens.size());
  for (size_t t = 0; t < tokens.size(); ++t) {
    const std::span<const real> logits = decoder.feed({&tokens[t], 1});
    CHECK(relative_error(array(View<const real, 1>(logits.data(), {logits.size()})), array(view(full)[t])) <
          forward_tolerance);
  }
}

TEST_CASE("a team of any size gives the same bits, prompts, single tokens and a wrapped window alike") {
  LlamaConfig config = untied();  // 3 kv heads: some threads of four have none
  config.hidden_dim = 70, config.vocabulary_size = 100;
  const LlamaParameters weights = random_model(config, 8);
  std::vector<std::int32_t> tokens(60);
  for (size_t t = 0; t < tokens.size(); ++t) tokens[t] = static_cast<std::int32_t>(7 * t % 100);
  const auto logits = [&](size_t threads) {
    Decoder decoder(weights, 55, 20, threads);
    std::vector<std::vector<real>> all;
    for (size_t begin = 0; begin < 60;) {
      const size_t count = begin == 0 ? 47 : 1;
      const auto row = decoder.feed({&tokens[begin], count});
      all.emplace_back(row.begin(), row.end());
      begin += count;
    }
    return all;
  };
  const auto alone = logits(1);
  for (const size_t threads : {2, 3, 4}) CHECK(logits(threads) == alone);
}

TEST_CASE("a token that does not exist is refused by a team, and the decoder goes on") {
  const LlamaParameters weights = random_model(tied(), 6);
  Decoder decoder(weights, 8, 8, 2), other(weights, 8, 8, 2);
  const std::vector<std::int32_t> wrong = {1, 2, 3, 99}, right = {1, 2, 3, 4};
  CHECK_THROWS_WITH(decoder.feed(wrong), contains("token id 99"));
  CHECK(decoder.length() == 0);
  CHECK(std::ranges::equal(decoder.feed(right), other.feed(right)));
}

TEST_CASE("a later token never changes what came before") {
  const LlamaParameters weights = random_model(untied(), 2);
  const Array<real, 2> one = logits_of(weights, {1, 2, 3, 4, 5}), other = logits_of(weights, {1, 2, 3, 9, 8});
  for (size_t t = 0; t < 3; ++t)
    for (size_t v = 0; v < 19; ++v) REQUIRE(one(t, v) == other(t, v));
  CHECK(one(3, 0) != other(3, 0));
}

TEST_CASE("two documents in one sequence are as if each stood alone") {
  const LlamaParameters weights = random_model(tied(), 3);
  const Array<real, 2> together = logits_of(weights, {1, 2, 3, 7, 8, 9, 10}, {0, 0, 0, 3, 3, 3, 3});
  const Array<real, 2> first = logits_of(weights, {1, 2, 3}), second = logits_of(weights, {7, 8, 9, 10});
  CHECK(relative_error(array(view(together).rows(0, 3)), first) < forward_tolerance);
  // The second document stands at positions 3 to 6 here and 0 to 3 there: RoPE sees only distances.
  CHECK(relative_error(array(view(together).rows(3, 7)), second) < forward_tolerance);
}

#ifdef CRIA_DOUBLE
TEST_CASE("the model's gradient agrees with finite differences to 1e-8, with packed documents") {
  const bool is_tied = GENERATE(false, true);
  const LlamaConfig config = is_tied ? tied() : untied();
  const LlamaParameters weights = random_model(config, 4), gradients(config);
  const std::vector<std::int32_t> tokens = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
                                  targets = {2, 3, -1, 5, 6, 7, 8, 9, -1, 11, 12, 13};
  const std::vector<std::int32_t> first_key = {0, 0, 0, 3, 3, 3, 0, 0, 0, 0, 0, 0};
  const Batch batch = {{tokens.data(), {2, 6}}, {targets.data(), {2, 6}}, first_key};
  LossEvaluator evaluator(config, 2, 6, true);
  evaluator.forward_backward(weights, batch, 1, gradients);
  CHECK(gradient_error(
            weights.flat(), gradients.flat(), [&] { return evaluator.forward(weights, batch); }, 300) < 1e-8);
}
#endif

TEST_CASE("the parameters' count, names and order are the checkpoint's") {
  const LlamaParameters weights(untied());
  std::vector<std::string> names;
  size_t count = 0;
  weights.for_each([&](const std::string& name, const auto& view) {
    CHECK(view.data() == weights.flat().data() + count);
    names.push_back(name), count += view.size();
  });
  CHECK(count == parameter_count(untied()));
  CHECK(names.size() == 1 + 2 * 9 + 2);
  CHECK(names.front() == "model.embed_tokens.weight");
  CHECK(names.back() == "lm_head.weight");
  const LlamaParameters shared(tied());
  CHECK(shared.tensors().head.data() == shared.tensors().embedding.data());
}

TEST_CASE("initialisation is the same everywhere, ones for norms and small normal numbers elsewhere") {
  const LlamaParameters weights(untied()), again(untied());
  Random one(5), other(5);
  initialise(weights, one), initialise(again, other);
  CHECK(std::ranges::equal(weights.flat(), again.flat()));
  CHECK(std::ranges::all_of(weights.tensors().norm.span(), [](real x) { return x == 1; }));
  const auto deviation = [](std::span<const real> values) {
    double squares = 0;
    for (const real x : values) squares += double(x) * x;
    return std::sqrt(squares / double(values.size()));
  };
  // Four standard errors of a deviation estimated from n numbers: 4 / √(2 n).
  CHECK(std::abs(deviation(weights.tensors().head.span()) * std::sqrt(11.0) - 1) < 4 / std::sqrt(2 * 19 * 11.0));
  CHECK(std::abs(deviation(weights.tensors().layers[0].down.span()) * 2 * std::sqrt(13.0) - 1) <
        4 / std::sqrt(2 * 11 * 13.0));
  CHECK(std::abs(deviation(weights.tensors().embedding.span()) / 0.05 - 1) < 4 / std::sqrt(2 * 19 * 11.0));
}

TEST_CASE("decoding allocates nothing after its first token") {
  const LlamaParameters weights = random_model(tied(), 6);
  Decoder decoder(weights, 8, 8, GENERATE(1, 2));  // wraps on the way
  const std::int32_t token = 1;
  decoder.feed({&token, 1});
  const size_t before = allocations();
  for (int i = 0; i < 20; ++i) decoder.feed({&token, 1});
  CHECK(allocations() == before);
}

TEST_CASE("impossible configurations and inputs are refused with one line") {
  const auto refused = [](auto change, const char* message) {
    LlamaConfig config = tied();
    change(config);
    CHECK_THROWS_AS(LlamaParameters(config), UserError);
    CHECK_THROWS_WITH(LlamaParameters(config), contains(message));
  };
  refused([](LlamaConfig& c) { c.heads = 0; }, "num_attention_heads is 0, expected at least 1");
  refused([](LlamaConfig& c) { c.kv_heads = 3; },
          "num_attention_heads is 4 and num_key_value_heads is 3: the second must divide the first");
  refused([](LlamaConfig& c) { c.head_dim = 5; }, "head_dim is 5, expected an even number");
  const LlamaParameters weights = random_model(tied(), 7);
  CHECK_THROWS_WITH(logits_of(weights, {1, 23}), contains("token id 23 is not in 0"));
  LlamaActivations small(tied(), 1, 2, 2, Keep::one_layer);
  const std::vector<std::int32_t> tokens = {1, 2, 3};
  CHECK_THROWS_AS(llama_forward(weights, {View<const std::int32_t, 2>(tokens.data(), {1, 3})}, small), ContractError);
}
