// Losses over pairs of answers as others computed them, in floats.
#include <cmath>

#include "chapters/19-dpo/preference_loss.hpp"
#include "lib/formats/npy.hpp"
#include "tests/cases/case.hpp"
#include "tests/testing.hpp"

namespace cria::testing {
namespace {

using Numbers = std::vector<double>;

struct Pairs {
  Numbers policy_chosen, policy_rejected, reference_chosen, reference_rejected;

  PairLoss loss(size_t i, const PreferenceOptions& options) const {
    return preference_loss({policy_chosen[i], policy_rejected[i]}, {reference_chosen[i], reference_rejected[i]},
                           options);
  }
};

/// "beta0.1_smooth0.2" or "ipo_beta0.1"
PreferenceOptions options_of(const std::string& name) {
  PreferenceOptions options;
  if (name.starts_with("ipo")) options.loss = PreferenceLoss::ipo;
  options.beta = std::stod(name.substr(name.find("beta") + 4));
  if (const size_t smooth = name.find("smooth"); smooth != std::string::npos)
    options.label_smoothing = std::stod(name.substr(smooth + 6));
  return options;
}

// Their numbers are floats: margins of up to a hundred, of which IPO takes the square.
void check_numbers(const Numbers& actual, const Numbers& expected) {
  REQUIRE(actual.size() == expected.size());
  for (size_t i = 0; i < actual.size(); ++i)
    CHECK(std::abs(actual[i] - expected[i]) <= 2e-6 * std::max(1.0, std::abs(expected[i])));
}

void check_losses(const Pairs& pairs, const nlohmann::json& expected, const PreferenceOptions& options) {
  const size_t count = pairs.policy_chosen.size();
  Numbers losses, d_chosen, d_rejected, chosen, rejected;
  double mean = 0, accuracy = 0;
  for (size_t i = 0; i < count; ++i) {
    const PairLoss pair = pairs.loss(i, options);
    losses.push_back(pair.loss);
    mean += pair.loss / double(count);
    d_chosen.push_back(pair.d_policy.chosen / double(count));
    d_rejected.push_back(pair.d_policy.rejected / double(count));
    chosen.push_back(implicit_reward(pairs.policy_chosen[i], pairs.reference_chosen[i], options.beta));
    rejected.push_back(implicit_reward(pairs.policy_rejected[i], pairs.reference_rejected[i], options.beta));
    accuracy += chosen[i] > rejected[i] ? 1.0 / double(count) : 0;
  }
  const std::pair<const char*, Numbers> computed[] = {{"losses", losses},
                                                      {"mean", {mean}},
                                                      {"accuracy", {accuracy}},
                                                      {"chosen_rewards", chosen},
                                                      {"rejected_rewards", rejected},
                                                      {"grad_policy_chosen", d_chosen},
                                                      {"grad_policy_rejected", d_rejected}};
  size_t known = 0;
  for (const auto& [name, numbers] : computed)
    if (expected.contains(name)) {
      CAPTURE(name);
      check_numbers(numbers, expected[name].is_array() ? expected[name].get<Numbers>() : Numbers{expected[name]});
      ++known;
    }
  CHECK(known == expected.size());
}

}  // namespace

bool has_preferences(const Case& c) { return c.has("policy_chosen.npy") && c.has("ref_chosen.npy"); }

void check_preferences(const Case& c) {
  const auto numbers = [&](const char* name) { return read_npy(c / (std::string(name) + ".npy")).values; };
  const Pairs pairs = {numbers("policy_chosen"), numbers("policy_rejected"), numbers("ref_chosen"),
                       numbers("ref_rejected")};
  const nlohmann::json expected = c.json("expected.json");
  for (const auto& [name, result] : expected.at("cases").items()) {
    CAPTURE(name);
    check_losses(pairs, result, options_of(name));
  }
  if (!expected.contains("published_torchtune_test")) return;
  const nlohmann::json& published = expected["published_torchtune_test"];
  const Pairs theirs = {published.at("policy_chosen"), published.at("policy_rejected"), published.at("ref_chosen"),
                        published.at("ref_rejected")};
  Numbers losses;
  for (size_t i = 0; i < theirs.policy_chosen.size(); ++i) losses.push_back(theirs.loss(i, {}).loss);
  check_numbers(losses, published.at("losses"));
}

}  // namespace cria::testing
