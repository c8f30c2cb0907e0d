// A model in every form that its folder holds: its logits, loss, gradients and greedy tokens are the reference's. Or it
// is refused, where the case expects that, or by the name of the key that cria does not compute yet.
#include <algorithm>
#include <cmath>

#include "chapters/09-sampling/decoder.hpp"
#include "chapters/10-training-step/cross_entropy.hpp"
#include "chapters/10-training-step/trainer.hpp"
#include "chapters/11-pretraining/generation_config.hpp"
#include "chapters/12-open-weights/open_model.hpp"
#include "chapters/12-open-weights/packed_model.hpp"
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

/// What the refusal has to name where a model asks for what cria does not compute yet: a key, and its value where that
/// says more.
std::vector<std::string> unsupported(const Json& config) {
  for (const char* key : {"attention_bias", "mlp_bias"})
    if (config.value(key, false)) return {key};
  for (const char* place : {"rope_scaling", "rope_parameters"})
    if (config.contains(place) && config[place].is_object())
      for (const char* type : {"rope_type", "type"})
        if (const std::string name = config[place].value(type, "default");
            name != "default" && name != "linear" && name != "llama3")
          return {place, name};
  return {};
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

/// The folder itself, GGUF files but for the later parts of split ones, and Meta's layout of the same weights.
std::vector<std::filesystem::path> forms_of(const Case& c) {
  std::vector<std::filesystem::path> forms;
  if (c.has("config.json") || c.has("params.json")) forms.push_back(c.folder);
  for (const std::string& file : c.files) {
    const bool later_part = file.find("-of-") != file.npos && file.find("-00001-of-") == file.npos;
    if (file.ends_with(".gguf") && !later_part) forms.push_back(c / file);
  }
  if (std::filesystem::exists(c / "meta_layout/consolidated.00.pth")) forms.push_back(c / "meta_layout");
  return forms;
}

void check_numbers(const Model& model, const Case& c, const Json& expected) {
  const NpyArray ids = read_npy(c / "tokens.npy");
  const size_t B = ids.shape.at(0), T = ids.shape.at(1);
  const Ids tokens(ids.values.begin(), ids.values.end());
  Ids targets(tokens.size(), no_target);
  for (size_t n = 0; n < tokens.size(); ++n)
    if (n % T + 1 < T) targets[n] = tokens[n + 1];
  const Batch batch{{tokens.data(), {B, T}}, {targets.data(), {B, T}}};
  LossEvaluator evaluator(model.config.llama, B, T, true);
  const LlamaParameters gradients(model.config.llama);
  const double count = double(std::max<size_t>(count_targets(batch), 1));
  const double loss = evaluator.forward_backward(model.weights, batch, 1 / count, gradients) / count;
  CHECK(difference(evaluator.logits().span(), read_npy(c / "logits.npy").values, logit_tolerance) == "");
  for (size_t i = 0; i < model.config.llama.layers; ++i)
    if (const std::string file = fmt::format("hidden_{}.npy", i + 1); c.has(file))
      CHECK(difference(evaluator.activations().layer(i).output.span(), read_npy(c / file).values, logit_tolerance) ==
            "");
  if (c.has("grads.safetensors")) check_gradients(gradients, c / "grads.safetensors");
  if (expected.contains("loss")) CHECK(difference(loss, expected["loss"].get<double>(), loss_tolerance) == "");
  // Of quantised weights two texts are known; cria's is that of the weights as they stand for.
  for (const char* key : {"greedy_tokens", "greedy_tokens_dequantised"}) {
    if (!expected.contains(key)) continue;
    const Ids prompt = expected["greedy_prompt"], wanted = expected[key];
    CHECK(greedy(model.weights, prompt, wanted.size(), {}) == wanted);
    if (!expected.contains("greedy_until_eos")) continue;
    const Ids ends =
        read_generation_config(c.folder, model.config.llama.vocabulary_size).with_ends(model.config.end_of_text);
    CHECK(greedy(model.weights, prompt, wanted.size(), ends) == expected["greedy_until_eos"].get<Ids>());
  }
}

// How far llama.cpp's logits lie from the exact ones at most (README.md of gguf/), as it rounds activations to 8 bits;
// a wrong nibble or scale moves them by more than 2. Here the largest is 0.22.
constexpr double rounded_tolerance = 0.24;

/// A file's weights as they are stored.
void check_packed(const std::filesystem::path& form, const Case& c) {
  const PackedModel model = open_packed_model(form);
  bool exact = true;
  LlamaTensors<const real, Weight> tensors = model.weights.tensors;
  for_each_parameter(model.config.llama, tensors, [&](const std::string&, auto, const auto& weight) {
    if constexpr (std::is_same_v<std::decay_t<decltype(weight)>, Weight>)
      exact &= !weight.is_packed() || !simd::in_blocks(weight.packed().type);
  });
  CHECK(logit_difference(model.weights, c / "tokens.npy", c / "logits.npy",
                         exact ? logit_tolerance : rounded_tolerance) == "");
}

}  // namespace

std::string logit_difference(const LlamaWeights& weights, const std::filesystem::path& tokens,
                             const std::filesystem::path& logits, double tolerance) {
  const NpyArray ids = read_npy(tokens);
  const size_t B = ids.shape.at(0), T = ids.shape.at(1);
  const Ids inputs(ids.values.begin(), ids.values.end()), targets(inputs.size(), no_target);
  LossEvaluator evaluator(weights.config, B, T, false);
  evaluator.forward(weights, {{inputs.data(), {B, T}}, {targets.data(), {B, T}}});
  return difference(evaluator.logits().span(), read_npy(logits).values, tolerance);
}

void check_model(const Case& c) {
  CAPTURE(c.name);
  const Json expected = c.has("expected.json") ? c.json("expected.json") : Json::object();
  const std::string expect = expected.value("expect", "accept");
  const auto refused_by = c.has("config.json") ? unsupported(c.json("config.json")) : std::vector<std::string>();
  for (const auto& form : forms_of(c)) {
    CAPTURE(form.filename().string());
    if (expect == "reject") {
      CHECK_THROWS_AS(open_model(form), UserError);
    } else if (!refused_by.empty()) {
      CHECK_THROWS_AS(open_model(form), UserError);
      for (const std::string& name : refused_by) REQUIRE_THROWS_WITH(open_model(form), contains(name));
      return skip_test(fmt::format("{}: its {} is not supported yet, and refused by name", c.name, refused_by.back()));
    } else if (expect == "either") {
      try {
        check_numbers(open_model(form), c, expected);
      } catch (const UserError& error) {
        CHECK(std::string(error.what()).find('\n') == std::string::npos);
      }
    } else {
      check_numbers(open_model(form), c, expected);
      if (form.extension() == ".gguf") check_packed(form, c);
    }
  }
}

}  // namespace cria::testing
