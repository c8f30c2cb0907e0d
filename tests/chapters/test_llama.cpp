// The model: counts and an example by hand, PyTorch, finite differences, causality and documents, names, refusals.
#include "chapters/08-llama/llama.hpp"

#include "chapters/05-attention/attention.hpp"
#include "chapters/10-training-step/trainer.hpp"
#include "tests/chapters/llama_problem.hpp"
#include "tests/chapters/plain_block.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

TEST_CASE("the parameters, operations and activations of the tiny model, counted by hand in the lesson") {
  LlamaConfig config;  // stories260K
  CHECK(parameter_count(config) == 260032);
  CHECK(forward_operations_per_token(config, 1) == 518656 + 1280);
  CHECK(forward_operations_per_token(config, 512) == 518656 + 512 * 1280);
  CHECK(prompt_operations(config, 1) == forward_operations_per_token(config, 1));
  CHECK(prompt_operations(config, 3) == 3 * 2 * 5 * 45312 + 2 * 32768 + (1 + 2 + 3) * 1280);
  CHECK(training_operations_per_token(config, 3) == 3 * (518656 + 2 * 1280));
  const size_t T = 7;
  CHECK(LlamaActivations(config, 1, T, T, Keep::all_layers).bytes() ==
        (T * 5007 + attention_scratch_size(T)) * sizeof(real));
  const ParameterCounts counts = count_parameters(config);
  CHECK(counts.embedding == 32768);
  CHECK(counts.attention == 5 * (8192 + 4096));
  CHECK(counts.feed_forward == 5 * 33024);
  CHECK(counts.norms == 5 * 128 + 64);
  CHECK(counts.head == 0);
  CHECK(counts.without_vocabulary() == 260032 - 32768);
  config.tied_embeddings = false;
  CHECK(parameter_count(config) == 260032 + 32768);
  CHECK(count_parameters(config).head == 32768);
}

/// The lesson's: two tokens, and one layer that writes nothing.
static LlamaParameters model_by_hand() {
  LlamaConfig config;
  config.vocabulary_size = 2, config.dim = 2, config.hidden_dim = 3, config.layers = 1, config.heads = 1,
  config.kv_heads = 1, config.head_dim = 2;
  config.norm_eps = 0;
  LlamaParameters weights = random_model(config, 9);
  std::ranges::copy(std::array<real, 4>{1, 7, 7, -1}, weights.tensors().embedding.data());
  std::ranges::fill(weights.tensors().layers[0].output.span(), real(0));
  std::ranges::fill(weights.tensors().layers[0].down.span(), real(0));
  std::ranges::fill(weights.tensors().norm.span(), real(1));
  return weights;
}

TEST_CASE("a model worked by hand: a layer that writes nothing leaves the residual stream as it is") {
  CHECK(difference(logits_of(model_by_hand(), {0}), Array<double, 2>{{10, 0}}, 10 * epsilon) == "");
}

TEST_CASE("a model's gradient worked by hand: past a layer that writes nothing, to both rows of a tied table") {
  const LlamaParameters weights = model_by_hand(), gradients(weights.config());
  const std::int32_t token = 0;
  const LlamaInput input = {{&token, {1, 1}}};
  LlamaActivations activations(weights.config(), 1, 1, 1, Keep::all_layers);
  LlamaBackwardBuffers buffers(weights.config(), 1);
  llama_forward(weights, input, activations);
  const Array<real, 2> d_logits = {{0, 1}};
  llama_backward(weights, input, activations, view(d_logits), buffers, gradients);
  const Array<real, 2> d_embedding = gradients.tensors().embedding;
  // Measured: 0.2 epsilon, as 1.4 is no binary number.
  CHECK(difference(d_embedding, Array<double, 2>{{1.4, -0.2}, {0.2, 1.4}}, 2 * epsilon) == "");
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

  const auto rows = [&](View<const real, 2> x) { return x.reshape(Shape<3>{B, T, x.size() / N}); };
  for (size_t i = 0; i < model.weights.config().layers; ++i) {
    CAPTURE(i);
    CHECK(relative_error(rows(evaluator.activations().layer(i).input),
                         golden<3>(model.prefix + "hidden_" + std::to_string(i) + ".npy")) < forward_tolerance);
    CHECK(relative_error(rows(evaluator.activations().layer(i).output),
                         golden<3>(model.prefix + "hidden_" + std::to_string(i + 1) + ".npy")) < forward_tolerance);
  }
  CHECK(relative_error(rows(evaluator.logits()), golden<3>(model.prefix + "logits.npy")) < forward_tolerance);
  CHECK(difference(loss / golden<1>(model.prefix + "loss.npy")(0), 1, 1.4 * epsilon) == "");  // measured: 0.35
  const Array<double, 1> expected = golden<1>(model.prefix + "d_parameters.npy");
  CHECK(relative_error(View<real, 1>(gradients.flat().data(), {expected.size()}), expected) <
        gradient_tolerance);
}

TEST_CASE("every layer gives the bits of the plain function in the lesson") {
  const LlamaParameters weights = random_model(GENERATE(0, 1) ? tied() : untied(), 5);
  const LlamaConfig& config = weights.config();
  const std::vector<std::int32_t> tokens = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3};
  LlamaActivations activations(config, 1, tokens.size(), tokens.size(), Keep::all_layers);
  llama_forward(weights, {{tokens.data(), {1, tokens.size()}}}, activations);
  for (size_t i = 0; i < config.layers; ++i) {
    CAPTURE(i);
    Array<real, 2> hidden = activations.layer(i).input;
    plain_block(config, weights.tensors().layers[i], activations.angles, view(hidden));
    CHECK(difference(activations.layer(i).output, hidden, 0) == "");
  }
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
  CHECK(relative_error(view(together).rows(0, 3), first) < same_tolerance);
  // The second document stands at positions 3 to 6 here and 0 to 3 there: RoPE sees only distances.
  CHECK(relative_error(view(together).rows(3, 7), second) < same_tolerance);
}

#ifdef CRIA_DOUBLE
// Measured: at most 5.9e-12.
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
  CHECK(difference(weights.flat(), again.flat(), 0) == "");
  CHECK(difference(weights.tensors().norm.span(), std::vector<real>(weights.tensors().norm.size(), 1), 0) == "");
  const auto deviation = [](std::span<const real> values) {
    double squares = 0;
    for (const real x : values) squares += double(x) * x;
    return std::sqrt(squares / double(values.size()));
  };
  // Four standard errors of a deviation estimated from n numbers: 4 / √(2 n).
  const auto as_chosen = [&](std::span<const real> values, double chosen) {
    return difference(deviation(values) / chosen, 1, 4 / std::sqrt(2 * double(values.size())));
  };
  CHECK(as_chosen(weights.tensors().head.span(), 1 / std::sqrt(11.0)) == "");
  CHECK(as_chosen(weights.tensors().layers[0].down.span(), 0.5 / std::sqrt(13.0)) == "");
  CHECK(as_chosen(weights.tensors().embedding.span(), 0.05) == "");
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
