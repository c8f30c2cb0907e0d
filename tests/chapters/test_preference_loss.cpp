// Chapter 19, the losses of a pair: by hand, PyTorch's numbers, differences, and what holds for any of them.
#include <cmath>

#include "chapters/19-dpo/preference_loss.hpp"
#include "lib/base/random.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

struct Kind {
  const char* name;
  PreferenceOptions options;
};
const Kind kinds[] = {{"sigmoid", {PreferenceLoss::sigmoid, 0.1, 0}},
                      {"smoothed", {PreferenceLoss::sigmoid, 0.5, 0.2}},
                      {"ipo", {PreferenceLoss::ipo, 0.3, 0}}};

// Two ways to compute a few doubles.
constexpr double tolerance = 1e-12;

}  // namespace

TEST_CASE("preferences: the example of the lesson, worked by hand") {
  // The policy gives the chosen answer twice the reference's probability, and the rejected one half of it.
  const PairLogP policy{std::log(0.2), std::log(0.1)}, reference{std::log(0.1), std::log(0.2)};
  CHECK(std::abs(preference_margin(policy, reference) - std::log(4.)) < 1e-15);
  const PairLoss dpo = preference_loss(policy, reference, {PreferenceLoss::sigmoid, 0.5, 0});
  CHECK(std::abs(dpo.loss - std::log(1.5)) < 1e-15);  // β h = log 2, σ = 2/3
  CHECK(std::abs(dpo.d_policy.chosen + 0.5 / 3) < 1e-15);
  CHECK(dpo.d_policy.rejected == -dpo.d_policy.chosen);
  const PairLoss smoothed = preference_loss(policy, reference, {PreferenceLoss::sigmoid, 0.5, 0.25});
  CHECK(std::abs(smoothed.loss - (0.75 * std::log(1.5) + 0.25 * std::log(3.))) < 1e-15);
  CHECK(std::abs(smoothed.d_policy.chosen - 0.5 * (2. / 3 - 0.75)) < 1e-15);
  const PairLoss ipo = preference_loss(policy, reference, {PreferenceLoss::ipo, 0.5, 0});
  CHECK(std::abs(ipo.loss - std::pow(std::log(4.) - 1, 2)) < 1e-15);
  CHECK(std::abs(ipo.d_policy.chosen - 2 * (std::log(4.) - 1)) < 1e-15);
  // Llama 3's addition, for a chosen answer of 2 tokens with the weight 0.2: 0.1 log 5.
  const ChosenLoss added = chosen_loss(policy.chosen, 2, {.nll_weight = 0.2});
  CHECK(std::abs(added.loss - 0.1 * std::log(5.)) < 1e-15);
  CHECK(added.d_policy == -0.1);
  CHECK(chosen_loss(policy.chosen, 2, {}).loss == 0);
  CHECK(std::abs(implicit_reward(policy.chosen, reference.chosen, 0.5) - 0.5 * std::log(2.)) < 1e-15);
}

TEST_CASE("losses of pairs and their gradients are PyTorch's") {
  const Array<double, 2> policy = golden<2>("19-dpo/policy.npy"), reference = golden<2>("19-dpo/reference.npy");
  for (const Kind& kind : kinds) {
    CAPTURE(kind.name);
    const std::string prefix = std::string("19-dpo/") + kind.name;
    const Array<double, 1> losses = golden<1>(prefix + "_losses.npy");
    const Array<double, 2> d_policy = golden<2>(prefix + "_d_policy.npy");
    for (size_t i = 0; i < policy.shape(0); ++i) {
      const PairLoss pair =
          preference_loss({policy(i, 0), policy(i, 1)}, {reference(i, 0), reference(i, 1)}, kind.options);
      CHECK(std::abs(pair.loss - losses(i)) <= tolerance * std::abs(losses(i)));
      CHECK(std::abs(pair.d_policy.chosen - d_policy(i, 0)) <= tolerance * std::abs(d_policy(i, 0)) + 1e-15);
      CHECK(std::abs(pair.d_policy.rejected - d_policy(i, 1)) <= tolerance * std::abs(d_policy(i, 1)) + 1e-15);
    }
  }
}

TEST_CASE("the derivatives of preferences agree with differences of the loss") {
  Random random(1);
  for (const Kind& kind : kinds)
    for (int i = 0; i < 50; ++i) {
      CAPTURE(kind.name, i);
      const PairLogP policy{-20 * random.uniform(), -20 * random.uniform()};
      const PairLogP reference{-20 * random.uniform(), -20 * random.uniform()};
      const double step = 1e-5;
      const auto loss = [&](double chosen, double rejected) {
        return preference_loss({policy.chosen + chosen, policy.rejected + rejected}, reference, kind.options).loss;
      };
      const PairLoss pair = preference_loss(policy, reference, kind.options);
      CHECK(std::abs(pair.d_policy.chosen - (loss(step, 0) - loss(-step, 0)) / (2 * step)) < 1e-8);
      CHECK(std::abs(pair.d_policy.rejected - (loss(0, step) - loss(0, -step)) / (2 * step)) < 1e-8);
    }
}

TEST_CASE("a policy that is its reference has the loss log 2, and learns as fast as it ever will") {
  const PairLogP same{-31.5, -12.25};
  for (const double beta : {0.05, 0.1, 2.}) {
    const PairLoss pair = preference_loss(same, same, {PreferenceLoss::sigmoid, beta, 0});
    CHECK(std::abs(pair.loss - std::log(2.)) < 1e-15);
    CHECK(std::abs(pair.d_policy.chosen + beta / 2) < 1e-15);
    // With smoothing the loss is log 2 as well, and the step is shorter.
    const PairLoss smoothed = preference_loss(same, same, {PreferenceLoss::sigmoid, beta, 0.1});
    CHECK(std::abs(smoothed.loss - std::log(2.)) < 1e-15);
    CHECK(std::abs(smoothed.d_policy.chosen + 0.8 * beta / 2) < 1e-15);
    const double ipo = preference_loss(same, same, {PreferenceLoss::ipo, beta, 0}).loss;
    CHECK(std::abs(4 * beta * beta * ipo - 1) < 1e-14);
  }
}

TEST_CASE("where a preference loss stops") {
  const auto slope = [](double margin, const PreferenceOptions& options) {
    return preference_loss({margin, 0}, {0, 0}, options).d_policy.chosen;
  };
  // DPO never does; cDPO where σ(β h) = 1 - ε, IPO at h = 1 / (2 β). Beyond that they go back.
  for (const double margin : {-50., 0., 50., 500.}) CHECK(slope(margin, {PreferenceLoss::sigmoid, 0.1, 0}) < 0);
  const double there = std::log(0.8 / 0.2) / 0.1;
  const PreferenceOptions smoothed{PreferenceLoss::sigmoid, 0.1, 0.2}, ipo{PreferenceLoss::ipo, 0.1, 0};
  CHECK(std::abs(slope(there, smoothed)) < 1e-15);
  CHECK(slope(there - 1, smoothed) < 0);
  CHECK(slope(there + 1, smoothed) > 0);
  CHECK(slope(5, ipo) == 0);
  CHECK(slope(4, ipo) < 0);
  CHECK(slope(6, ipo) > 0);
}

TEST_CASE("only the margin counts, and it changes its sign with the answers") {
  const PairLogP policy{-3, -5}, reference{-4, -4.5};
  const PairLogP moved{-3 - 7, -5 - 7}, turned{-5, -3}, turned_reference{-4.5, -4};
  for (const Kind& kind : kinds) {
    CHECK(std::abs(preference_loss(moved, reference, kind.options).loss -
                   preference_loss(policy, reference, kind.options).loss) < 1e-14);
    CHECK(preference_margin(turned, turned_reference) == -preference_margin(policy, reference));
  }
  // With a smoothing of a half nobody knows which is better.
  const PreferenceOptions half{PreferenceLoss::sigmoid, 0.1, 0.5};
  CHECK(std::abs(preference_loss(policy, reference, half).loss - preference_loss(turned, turned_reference, half).loss) <
        1e-15);
}

TEST_CASE("a preference loss is finite for margins of thousands of nats") {
  const PairLoss far = preference_loss({-5000, -10}, {-10, -5000}, {PreferenceLoss::sigmoid, 0.5, 0});
  CHECK(far.loss == 0.5 * 9980);
  CHECK(far.d_policy.chosen == -0.5);
}

TEST_CASE("options of preferences out of their range are refused by name") {
  CHECK_THROWS_WITH(require_valid({PreferenceLoss::sigmoid, 0, 0}), contains("beta is 0, expected more than 0"));
  CHECK_THROWS_WITH(require_valid({PreferenceLoss::sigmoid, NAN, 0}), contains("beta is nan"));
  CHECK_THROWS_WITH(require_valid({PreferenceLoss::sigmoid, 0.1, 0.6}),
                    contains("label_smoothing is 0.6, expected 0 to 0.5"));
  CHECK_THROWS_WITH(require_valid({PreferenceLoss::ipo, 0.1, 0.1}),
                    contains("label_smoothing belongs to the sigmoid loss"));
  CHECK_THROWS_WITH(require_valid({.nll_weight = -1}), contains("nll_weight is -1, expected 0 or more"));
  CHECK_THROWS_WITH(require_valid({.nll_weight = INFINITY}), contains("nll_weight is inf"));
}
