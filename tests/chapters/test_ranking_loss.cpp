// Chapter 16, the loss of a pair: by hand, PyTorch's numbers, differences, and what holds for any of them.
#include "chapters/16-reward-model/ranking_loss.hpp"

#include <cmath>

#include "lib/base/random.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

struct Kind {
  const char* name;
  double of_margins, centring;
};
const Kind kinds[] = {{"plain", 0, 0}, {"margin", 1, 0}, {"centred", 0.5, 0.01}};

// Two ways to compute a few doubles.
constexpr double tolerance = 1e-12;

}  // namespace

TEST_CASE("a pair of rewards: the example of the lesson, worked by hand") {
  const RewardPair reward{2, 2 - std::log(3.)};
  const RankingLoss plain = ranking_loss(reward);
  CHECK(std::abs(plain.loss - std::log(4. / 3)) < 1e-15);  // σ(log 3) = 3/4
  CHECK(std::abs(plain.d_reward.chosen + 0.25) < 1e-15);
  CHECK(plain.d_reward.rejected == -plain.d_reward.chosen);
  const RankingLoss wide = ranking_loss(reward, std::log(9.));  // 1/4 of it
  CHECK(std::abs(wide.loss - std::log(4.)) < 1e-15);
  CHECK(std::abs(wide.d_reward.chosen + 0.75) < 1e-15);
  const RankingLoss turned = ranking_loss({reward.rejected, reward.chosen});
  CHECK(std::abs(turned.loss - std::log(4.)) < 1e-15);
  const RankingLoss centred = ranking_loss(reward, 0, 0.1);
  const double sum = 4 - std::log(3.);
  CHECK(std::abs(centred.loss - (std::log(4. / 3) + 0.1 * sum * sum)) < 1e-15);
  CHECK(std::abs(centred.d_reward.chosen - (0.2 * sum - 0.25)) < 1e-15);
  CHECK(std::abs(centred.d_reward.rejected - (0.2 * sum + 0.25)) < 1e-15);
}

TEST_CASE("losses of rewards and their gradients are PyTorch's") {
  const Array<double, 2> rewards = golden<2>("16-reward-model/rewards.npy");
  const Array<double, 1> margins = golden<1>("16-reward-model/margins.npy");
  for (const Kind& kind : kinds) {
    CAPTURE(kind.name);
    const std::string prefix = std::string("16-reward-model/") + kind.name;
    const Array<double, 1> losses = golden<1>(prefix + "_losses.npy");
    const Array<double, 2> d_rewards = golden<2>(prefix + "_d_rewards.npy");
    for (size_t i = 0; i < rewards.shape(0); ++i) {
      const RankingLoss pair =
          ranking_loss({rewards(i, 0), rewards(i, 1)}, kind.of_margins * margins(i), kind.centring);
      CHECK(std::abs(pair.loss - losses(i)) <= tolerance * std::abs(losses(i)));
      CHECK(std::abs(pair.d_reward.chosen - d_rewards(i, 0)) <= tolerance * std::abs(d_rewards(i, 0)) + 1e-15);
      CHECK(std::abs(pair.d_reward.rejected - d_rewards(i, 1)) <= tolerance * std::abs(d_rewards(i, 1)) + 1e-15);
    }
  }
}

TEST_CASE("the derivatives of a ranking loss agree with differences of it") {
  Random random(1);
  for (const Kind& kind : kinds)
    for (int i = 0; i < 50; ++i) {
      CAPTURE(kind.name, i);
      const double chosen = 3 * random.normal(), rejected = 3 * random.normal(), margin = random.uniform();
      const double step = 1e-5;
      const auto loss = [&](double more_chosen, double more_rejected) {
        return ranking_loss({chosen + more_chosen, rejected + more_rejected}, margin, kind.centring).loss;
      };
      const RankingLoss pair = ranking_loss({chosen, rejected}, margin, kind.centring);
      CHECK(std::abs(pair.d_reward.chosen - (loss(step, 0) - loss(-step, 0)) / (2 * step)) < 1e-8);
      CHECK(std::abs(pair.d_reward.rejected - (loss(0, step) - loss(0, -step)) / (2 * step)) < 1e-8);
    }
}

TEST_CASE("equal rewards have the loss log 2 and pull with a half; a margin asks for more") {
  for (const double reward : {-7., 0., 1.5}) {
    const RankingLoss pair = ranking_loss({reward, reward});
    CHECK(std::abs(pair.loss - std::log(2.)) < 1e-15);
    CHECK(std::abs(pair.d_reward.chosen + 0.5) < 1e-15);
  }
  CHECK(std::abs(ranking_loss({1.75, 1}, 0.75).loss - std::log(2.)) < 1e-15);
  CHECK(ranking_loss({1, 0}, 0.5).loss > ranking_loss({1, 0}).loss);
}

TEST_CASE("only the difference counts, and with the answers it changes its sign") {
  Random random(2);
  for (int i = 0; i < 20; ++i) {
    const RewardPair reward{2 * random.normal(), 2 * random.normal()}, turned{reward.rejected, reward.chosen};
    const double difference = reward.chosen - reward.rejected;
    // -log σ(x) + log σ(-x) = -x
    CHECK(std::abs(ranking_loss(reward).loss - ranking_loss(turned).loss + difference) < 1e-14);
    CHECK(std::abs(ranking_loss({reward.chosen + 5, reward.rejected + 5}).loss - ranking_loss(reward).loss) < 1e-14);
    // What one of both loses the other gains: a bias of all rewards has no gradient.
    CHECK(ranking_loss(reward, 0.5).d_reward.chosen == -ranking_loss(reward, 0.5).d_reward.rejected);
  }
  CHECK(ranking_loss({6, 5}, 0, 0.01).loss > ranking_loss({1, 0}, 0, 0.01).loss);
}

TEST_CASE("the logarithm of a sigmoid is finite wherever the sigmoid itself is not to be told from 0 or 1") {
  CHECK(log_sigmoid(-1000) == -1000);
  CHECK(log_sigmoid(1000) == 0);
  CHECK(std::abs(log_sigmoid(40) / -std::exp(-40.) - 1) < 1e-12);
  CHECK(log_sigmoid(0) == -std::log(2.));
  CHECK(ranking_loss({-2000, 3000}).loss == 5000);
  CHECK(ranking_loss({-2000, 3000}).d_reward.chosen == -1);
}
