// The parts of a training step as other people's unit tests have them (Stanford's CS336), within their own tolerances.
#include "chapters/10-training-step/adamw.hpp"
#include "chapters/10-training-step/cross_entropy.hpp"
#include "lib/formats/npy.hpp"
#include "tests/cases/case.hpp"
#include "tests/chapters/tiny_llama.hpp"
#include "tests/testing.hpp"

namespace cria::testing {

bool is_optimiser(const Case& c) { return c.has("initial.npy") && c.has("expected_torch.npy") && c.has("case.json"); }

// y = W x is to become (x0 + x1, -x2); W is the first numbers of a model, as AdamW takes each number by itself.
void check_optimiser(const Case& c) {
  const nlohmann::json how = c.json("case.json");
  REQUIRE(how.at("model") == "y = W x, W is 2x3");
  REQUIRE(how.at("target") == "[x0+x1, -x2]");
  REQUIRE(how.at("loss") == "sum of squares");
  const LlamaParameters weights(tiny()), gradients(tiny());
  const std::span<real> w = weights.flat().first(6), d_w = gradients.flat().first(6);
  std::ranges::copy(read_npy(c / "initial.npy").values, w.begin());
  AdamW optimiser(weights, {.beta1 = how.at("betas")[0],
                            .beta2 = how.at("betas")[1],
                            .eps = how.at("eps"),
                            .weight_decay = how.at("weight_decay"),
                            .decay_all = true});
  ThreadPool pool(1);
  const std::vector<double> inputs = read_npy(c / "x.npy").values;  // (steps, 3)
  REQUIRE(inputs.size() == 3 * how.at("steps").get<size_t>());
  for (size_t step = 0; step < inputs.size() / 3; ++step) {
    const double* x = &inputs[3 * step];
    const double target[] = {x[0] + x[1], -x[2]};
    for (size_t row = 0; row < 2; ++row) {
      double y = 0;
      for (size_t i = 0; i < 3; ++i) y += double(w[3 * row + i]) * x[i];
      for (size_t i = 0; i < 3; ++i) d_w[3 * row + i] = real(2 * (y - target[row]) * x[i]);
    }
    optimiser.step(weights, gradients, 1, how.at("lr"), pool);
  }
  // Either is right, within the suite's tolerance.
  const double tolerance = how.at("either_expected_is_right_within");
  const std::string from_torch = difference(w, read_npy(c / "expected_torch.npy").values, tolerance);
  if (from_torch.empty()) return;
  CAPTURE(from_torch);
  CHECK(difference(w, read_npy(c / "expected_cs336.npy").values, tolerance) == "");
}

bool is_clipping(const Case& c) {
  return c.has("grads.npy") && c.has("case.json") && c.json("case.json").contains("max_norm");
}

void check_clipping(const Case& c) {
  const nlohmann::json how = c.json("case.json");
  const std::vector<double> read = read_npy(c / "grads.npy").values;
  std::vector<real> gradient(read.begin(), read.end());
  ThreadPool pool(1);
  const double norm = global_norm(gradient, pool), expected = how.at("norm_before");
  CHECK(difference(norm, expected, 1e-6 * expected) == "");  // float
  const double factor = clip_factor(norm, how.at("max_norm"));
  for (real& number : gradient) number = real(number * factor);
  CHECK(difference(gradient, read_npy(c / "expected.npy").values, 1e-6) == "");
}

bool is_cross_entropy(const Case& c) {
  return c.has("x.npy") && c.has("targets.npy") && c.has("expected.npy") && c.has("expected_for_1000x.npy");
}

void check_cross_entropy(const Case& c) {
  const NpyArray x = read_npy(c / "x.npy"), ids = read_npy(c / "targets.npy");
  const size_t N = x.shape.at(0), V = x.shape.at(1);
  const std::vector<std::int32_t> targets(ids.values.begin(), ids.values.end());
  for (const auto& [scale, file] : {std::pair(1, "expected.npy"), std::pair(1000, "expected_for_1000x.npy")}) {
    INFO(file);
    std::vector<real> logits, log_sum_exp(N);
    for (const double value : x.values) logits.push_back(real(scale * value));
    const double loss =
        cross_entropy_forward({logits.data(), {N, V}}, {targets.data(), {N}}, {log_sum_exp.data(), {N}});
    const double expected = read_npy(c / file).values.at(0);
    CHECK(difference(loss / double(N), expected, 1e-6 * std::max(1.0, expected)) == "");
  }
}

bool is_schedule(const Case& c) { return c.has("case.json") && c.json("case.json").contains("cosine_cycle_iters"); }

void check_schedule(const Case& c) {
  const nlohmann::json how = c.json("case.json");
  const Schedule schedule{.peak = how.at("max_learning_rate"),
                          .floor = how.at("min_learning_rate"),
                          .warmup = how.at("warmup_iters"),
                          .total = how.at("cosine_cycle_iters")};
  std::vector<double> rates;
  for (size_t step = 0; step < how.at("expected").size(); ++step)
    rates.push_back(learning_rate(schedule, double(step)));
  CHECK(difference(rates, how.at("expected").get<std::vector<double>>(), 1e-15) == "");
}

}  // namespace cria::testing
