// Losses over pairs of rewards as others computed them, in floats.
#include <cmath>

#include "chapters/16-reward-model/ranking_loss.hpp"
#include "lib/formats/npy.hpp"
#include "tests/cases/case.hpp"
#include "tests/testing.hpp"

namespace cria::testing {

bool has_rewards(const Case& c) { return c.has("rewards_chosen.npy") && c.has("rewards_rejected.npy"); }

void check_rewards(const Case& c) {
  const auto numbers = [&](const char* name) { return read_npy(c / (std::string(name) + ".npy")).values; };
  const std::vector<double> chosen = numbers("rewards_chosen"), rejected = numbers("rewards_rejected");
  const std::vector<double> margins = numbers("margin");
  const double pairs = double(chosen.size());
  const nlohmann::json expected = c.json("expected.json");
  for (const auto& [name, result] : expected.at("cases").items()) {
    CAPTURE(name);
    const nlohmann::json& coefficient = result.at("center_rewards_coefficient");
    const double centring = coefficient.is_null() ? 0 : coefficient.get<double>();
    double mean = 0;
    std::vector<double> d_chosen, d_rejected;
    for (size_t i = 0; i < chosen.size(); ++i) {
      const RankingLoss pair = ranking_loss({chosen[i], rejected[i]}, name == "margin" ? margins.at(i) : 0, centring);
      mean += pair.loss / pairs;
      d_chosen.push_back(pair.d_reward.chosen / pairs);
      d_rejected.push_back(pair.d_reward.rejected / pairs);
    }
    // Their numbers are floats, of differences of a few.
    CHECK(std::abs(mean - result.at("loss").get<double>()) < 5e-7);
    CHECK(difference(d_chosen, result.at("grad_chosen").get<std::vector<double>>(), 5e-8) == "");
    CHECK(difference(d_rejected, result.at("grad_rejected").get<std::vector<double>>(), 5e-8) == "");
  }
}

}  // namespace cria::testing
