// Chapter 16: the loss of a pair over the difference of its rewards, and how hard the pair pulls, with Llama 2's
// margins.
#include "chapters/16-reward-model/ranking_loss.hpp"

#include <fmt/format.h>

#include "app/figure/axes.hpp"
#include "app/figure/figures.hpp"

namespace cria::figure {

std::string draw_ranking(const Subject&) {
  constexpr const char* preferences[] = {"0, hardly better", "1, slightly better", "2, better", "3, much better"};
  Svg svg(
      700, 652, "The loss of a pair of rewards, and its pull",
      "Above, the loss falls as the chosen answer's reward gets ahead; a margin moves the curve to the right. Below, "
      "the pull is 1 where the pair is wrong, a half where the difference is the margin, and goes to 0.");
  svg.text(16, 48, "A margin for each degree of preference.", "dim");
  const Scale differences = {-4, 8};
  Axes loss(svg, {64, 104, 460, 210}, differences, {0, 7});
  loss.draw({.title = "Loss", .x = "chosen - rejected", .y = ""});
  Axes pull(svg, {64, 396, 460, 200}, differences, {0, 1});
  pull.draw({.title = "Pull: how fast the loss falls as the difference grows", .x = "chosen - rejected", .y = ""});
  pull.level(0.5, "axis dashed");
  svg.text(534, 122, "margin", "small dim");
  for (int margin = 0; margin < 4; ++margin) {
    std::vector<double> x, losses, pulls;
    for (int i = 0; i <= 240; ++i) {
      x.push_back(-4 + i * 0.05);
      const RankingLoss pair = ranking_loss({x.back(), 0}, margin);
      losses.push_back(pair.loss);
      pulls.push_back(pair.d_reward.rejected);
    }
    loss.curve(x, losses, fmt::format("line s{}", margin));
    pull.curve(x, pulls, fmt::format("line s{}", margin));
    svg.text(534, 142 + 20 * margin, preferences[margin], fmt::format("small n{}", margin));
  }
  return svg.finish();
}

}  // namespace cria::figure
