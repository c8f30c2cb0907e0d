// Chapter 19: the losses of a pair over its margin, and how hard the pair pulls.
#include <fmt/format.h>

#include "app/figure/axes.hpp"
#include "app/figure/figures.hpp"
#include "chapters/19-dpo/preference_loss.hpp"

namespace cria::figure {

std::string draw_preferences(const Subject&) {
  struct Line {
    const char* name;
    PreferenceOptions options;
    const char* colour;
  };
  constexpr double beta = 0.1;
  const Line lines[] = {{"DPO", {PreferenceLoss::sigmoid, beta, 0}, "0"},
                        {"cDPO, ε 0.1", {PreferenceLoss::sigmoid, beta, 0.1}, "1"},
                        {"IPO, a hundredth of it", {PreferenceLoss::ipo, beta, 0}, "2"}};
  Svg svg(700, 652, "The losses of a pair over its margin",
          "Above, DPO's loss falls for ever; those of cDPO and IPO have a least place. Below, the pull of each: DPO's "
          "stays above zero, the others cross it.");
  svg.text(16, 48, fmt::format("β {}.", beta), "dim");
  const Scale margins = {-30, 60};
  Axes loss(svg, {64, 104, 460, 210}, margins, {0, 4});
  loss.draw({.title = "Loss", .x = "margin, nats", .y = ""});
  Axes pull(svg, {64, 396, 460, 200}, margins, {-0.1, 0.1});
  pull.draw({.title = "Pull: how fast the loss falls as the margin grows", .x = "margin, nats", .y = ""});
  pull.level(0, "axis dashed");
  double label = 130;
  for (const Line& line : lines) {
    const double unit = line.options.loss == PreferenceLoss::ipo ? 0.01 : 1;
    std::vector<double> margin_of_loss, losses, margin_of_pull, pulls;
    for (int i = 0; i <= 360; ++i) {
      const double h = -30 + i * 0.25;
      const PairLoss pair = preference_loss({h, 0}, {0, 0}, line.options);
      if (unit * pair.loss <= 4) margin_of_loss.push_back(h), losses.push_back(unit * pair.loss);
      const double p = -unit * pair.d_policy.chosen;
      if (p >= -0.1 && p <= 0.1) margin_of_pull.push_back(h), pulls.push_back(p);
    }
    loss.curve(margin_of_loss, losses, fmt::format("line s{}", line.colour));
    pull.curve(margin_of_pull, pulls, fmt::format("line s{}", line.colour));
    svg.text(534, label, line.name, fmt::format("small n{}", line.colour));
    label += 20;
  }
  return svg.finish();
}

}  // namespace cria::figure
