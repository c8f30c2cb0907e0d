// Numbers that torchtune's tests print: the table of Llama 3.1's scaled RoPE, and a Llama 3 whose weights are a
// formula.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "chapters/10-training-step/cross_entropy.hpp"
#include "chapters/10-training-step/trainer.hpp"
#include "chapters/12-open-weights/stored_parameters.hpp"
#include "chapters/12-open-weights/tensor_names.hpp"
#include "lib/formats/npy.hpp"
#include "tests/cases/case.hpp"
#include "tests/testing.hpp"

namespace cria::testing {
namespace {

void check_rope_table(const nlohmann::json& published) {
  const RopeScaling scaling{.kind = RopeScaling::Kind::llama3,
                            .factor = published.at("scale_factor"),
                            .low_turns = published.at("low_freq_factor"),
                            .high_turns = published.at("high_freq_factor"),
                            .original_context = published.at("old_context_len")};
  const size_t T = published.at("max_seq_len"), D = published.at("dim");
  std::vector<double> frequencies(D / 2);
  rope_inverse_frequencies(published.at("theta"), frequencies);
  rope_scale_frequencies(scaling, frequencies);
  std::vector<std::int32_t> positions(T);
  std::iota(positions.begin(), positions.end(), 0);
  Array<real, 2> cosine = unwritten<2>({T, D / 2}), sine = cosine;
  rope_angles(positions, frequencies, {view(cosine), view(sine)});
  double sum = 0;
  for (const Array<real, 2>* table : {&cosine, &sine}) sum = std::accumulate(table->begin(), table->end(), sum);
  // Its angles are float, so off by 2e-4 at the last position: Meta's own code gives a sum that is 0.0034 smaller.
  CHECK(difference(sum, published.at("sum").get<double>(), 0.01) == "");
  CHECK(difference(sum / double(2 * cosine.size()), published.at("mean").get<double>(), 5e-5) == "");  // printed so
  CHECK(double(std::ranges::max(cosine)) == published.at("max").get<double>());
}

/// Every tensor runs from -0.25 to 0.5, query and key in Meta's order of rows.
LlamaParameters formula_weights(const LlamaConfig& config) {
  LlamaParameters weights(config);
  const auto fill = [](std::span<real> values) {
    for (size_t i = 0; i < values.size(); ++i) values[i] = real(-0.25 + double(i) * 0.75 / double(values.size()));
  };
  weights.for_each([&](const std::string& name, const auto& view) {
    if constexpr (std::tuple_size_v<std::decay_t<decltype(view.shape())>> == 2)
      if (parameter_name(name).has_pairs) return read_interleaved(view, config, fill);
    fill(view.span());
  });
  return weights;
}

void check_forward(const Case& c, const nlohmann::json& published) {
  LlamaConfig config;
  config.vocabulary_size = published.at("vocab"), config.layers = published.at("layers");
  config.heads = published.at("heads"), config.kv_heads = published.at("kv_heads");
  config.dim = published.at("dim"), config.hidden_dim = published.at("hidden");
  config.head_dim = config.dim / config.heads, config.tied_embeddings = false;
  config.norm_eps = published.at("eps"), config.rope_theta = published.at("theta");
  const std::string file_and_shape = published.at("tokens");
  const NpyArray ids = read_npy(c / file_and_shape.substr(0, file_and_shape.find(' ')));
  const size_t B = ids.shape.at(0), T = ids.shape.at(1), V = config.vocabulary_size;
  const std::vector<std::int32_t> tokens(ids.values.begin(), ids.values.end()), targets(tokens.size(), no_target);
  LossEvaluator evaluator(config, B, T, false);
  evaluator.forward(formula_weights(config), {{tokens.data(), {B, T}}, {targets.data(), {B, T}}});
  const View<const real, 2> logits = evaluator.logits();
  std::vector<double> means;
  for (size_t n = 0; n < B * T; ++n)
    means.push_back(std::accumulate(logits[n].span().begin(), logits[n].span().end(), 0.0) / double(V));
  const double mean = std::accumulate(means.begin(), means.end(), 0.0) / double(means.size());
  const double tolerance = published.at("published_tolerance");
  CHECK(difference(mean, published.at("published_mean_logit").get<double>(), tolerance) == "");
  for (const std::string& file : c.files) {
    if (file.find("mean_logit_by_position") != file.npos)
      CHECK(difference(means, read_npy(c / file).values, tolerance) == "");
    if (file.find("logits_last_position") == file.npos) continue;
    std::vector<real> last;
    for (size_t b = 0; b < B; ++b) std::ranges::copy(logits[b * T + T - 1].span(), std::back_inserter(last));
    CHECK(difference(last, read_npy(c / file).values, tolerance) == "");
  }
}

}  // namespace

void check_published_scalars(const Case& c) {
  const nlohmann::json published = c.json("published_scalars.json");
  check_rope_table(published.at("rope_llama31_cache"));
  check_forward(c, published.at("llama3_forward"));
}

}  // namespace cria::testing
