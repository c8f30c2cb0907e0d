// A Hugging Face model: its logits, loss, gradients and greedy tokens are the reference's; or it is refused by the name
// of the key that cria does not compute yet.
#include <algorithm>
#include <cmath>

#include "chapters/09-sampling/decoder.hpp"
#include "chapters/10-training-step/cross_entropy.hpp"
#include "chapters/10-training-step/trainer.hpp"
#include "chapters/11-pretraining/generation_config.hpp"
#include "chapters/11-pretraining/model_folder.hpp"
#include "lib/base/check.hpp"
#include "lib/formats/npy.hpp"
#include "lib/formats/safetensors.hpp"
#include "tests/cases/case.hpp"
#include "tests/testing.hpp"

namespace cria::testing {
namespace {

using Json = nlohmann::json;
using Ids = std::vector<TokenId>;

// What the reference programs keep among themselves (README.md of the cases).
constexpr double logit_tolerance = 1e-4, loss_tolerance = 1e-5, gradient_tolerance = 1e-4, gradient_floor = 1e-6;

/// The key by which a model has to be refused, where it asks for what cria does not compute yet.
std::string unsupported_key(const Json& config) {
  if (config.contains("quantization_config") && !config["quantization_config"].is_null()) return "quantization_config";
  for (const char* key : {"attention_bias", "mlp_bias"})
    if (config.value(key, false)) return key;
  for (const char* place : {"rope_scaling", "rope_parameters"})
    if (config.contains(place) && config[place].is_object())
      for (const char* type : {"rope_type", "type"})
        if (config[place].value(type, "default") != "default") return place;
  return "";
}

void check_gradients(const LlamaParameters& gradients, const std::filesystem::path& file) {
  const SafetensorsFile expected(file);
  gradients.for_each([&](const std::string& name, const auto& view) {
    CAPTURE(name);
    const StoredTensor& stored = expected.tensor(name);
    std::vector<double> values(stored.bytes.size() / element_size(stored.type));
    convert_elements(stored.type, stored.bytes.data(), std::span(values));
    double largest = 0;
    for (const double value : values) largest = std::max(largest, std::abs(value));
    CHECK(difference(view.span(), values, gradient_tolerance * largest + gradient_floor) == "");
  });
}

/// The most probable token after each: as many as were expected, or up to one of `ends`, which is the last.
Ids greedy(const LlamaParameters& weights, const Ids& prompt, size_t count, const Ids& ends) {
  Decoder decoder(weights, prompt.size() + count);
  Ids tokens;
  for (std::span<const TokenId> fresh = prompt; tokens.size() < count; fresh = {&tokens.back(), 1}) {
    const auto logits = decoder.feed(fresh);
    tokens.push_back(TokenId(std::ranges::max_element(logits) - logits.begin()));
    if (std::ranges::count(ends, tokens.back())) break;
  }
  return tokens;
}

}  // namespace

void check_model(const Case& model) {
  CAPTURE(model.name);
  if (const std::string key = unsupported_key(model.json("config.json")); !key.empty()) {
    CHECK_THROWS_AS(load_model(model.folder), UserError);
    REQUIRE_THROWS_WITH(load_model(model.folder), contains(key));
    return skip_test(fmt::format("{}: its {} is not supported yet, and refused by name", model.name, key));
  }
  const Model loaded = load_model(model.folder);
  const NpyArray ids = read_npy(model / "tokens.npy");
  const size_t B = ids.shape.at(0), T = ids.shape.at(1);
  const Ids tokens(ids.values.begin(), ids.values.end());
  Ids targets(tokens.size(), no_target);
  for (size_t n = 0; n < tokens.size(); ++n)
    if (n % T + 1 < T) targets[n] = tokens[n + 1];
  const Batch batch{{tokens.data(), {B, T}}, {targets.data(), {B, T}}};
  LossEvaluator evaluator(loaded.config.llama, B, T, true);
  const LlamaParameters gradients(loaded.config.llama);
  const double count = double(std::max<size_t>(count_targets(batch), 1));
  const double loss = evaluator.forward_backward(loaded.weights, batch, 1 / count, gradients) / count;
  CHECK(difference(evaluator.logits().span(), read_npy(model / "logits.npy").values, logit_tolerance) == "");
  for (size_t i = 0; i < loaded.config.llama.layers; ++i)
    if (const std::string file = fmt::format("hidden_{}.npy", i + 1); model.has(file))
      CHECK(difference(evaluator.activations().layer(i).output.span(), read_npy(model / file).values,
                       logit_tolerance) == "");
  if (model.has("grads.safetensors")) check_gradients(gradients, model / "grads.safetensors");
  if (!model.has("expected.json")) return;

  const Json expected = model.json("expected.json");
  if (expected.contains("loss")) CHECK(difference(loss, expected["loss"].get<double>(), loss_tolerance) == "");
  if (!expected.contains("greedy_tokens")) return;
  const Ids prompt = expected["greedy_prompt"], wanted = expected["greedy_tokens"];
  CHECK(greedy(loaded.weights, prompt, wanted.size(), {}) == wanted);
  if (!expected.contains("greedy_until_eos")) return;
  Ids ends = loaded.config.end_of_text;
  const Ids more = read_generation_config(model.folder, loaded.config.llama.vocabulary_size).end_of_text;
  ends.insert(ends.end(), more.begin(), more.end());
  CHECK(greedy(loaded.weights, prompt, wanted.size(), ends) == expected["greedy_until_eos"].get<Ids>());
}

}  // namespace cria::testing
