// Chapter 18: what PPO's clip makes of a token's ratio, for a good token and a bad one, and how hard each is pulled.
#include <fmt/format.h>

#include <cmath>

#include "app/figure/axes.hpp"
#include "app/figure/figures.hpp"
#include "chapters/18-ppo/policy_loss.hpp"

namespace cria::figure {
namespace {

/// A curve that is broken where it jumps.
void draw_pieces(Axes& axes, const std::vector<double>& x, const std::vector<double>& y, std::string_view classes) {
  size_t begin = 0;
  for (size_t i = 1; i <= x.size(); ++i) {
    if (i < x.size() && std::abs(y[i] - y[i - 1]) < 0.3) continue;
    axes.curve(std::span(x).subspan(begin, i - begin), std::span(y).subspan(begin, i - begin), classes);
    begin = i;
  }
}

}  // namespace

std::string draw_clip(const Subject&) {
  const PolicyLossOptions options;
  Svg svg(700, 652, "What a token gains over its ratio, and how hard it is pulled",
          "A good token gains as its ratio grows, up to 1.2, and is pulled up below that. A bad one gains as its ratio "
          "falls, down to 0.8, and is pulled down above that. Beyond, both are flat and nothing pulls.");
  svg.text(16, 48, fmt::format("Clip {}; a step begins at ratio 1.", options.clip_low), "dim");
  const Scale ratios = {0, 2};
  Axes gain(svg, {64, 104, 460, 210}, ratios, {-2, 2});
  gain.draw({.title = "Minus the loss", .x = "ratio", .y = ""});
  gain.level(0, "axis dashed");
  Axes pull(svg, {64, 396, 460, 200}, ratios, {-2, 2});
  pull.draw({.title = "Pull on the token's log p", .x = "ratio", .y = ""});
  pull.level(0, "axis dashed");
  double label = 130;
  for (const int sign : {1, -1}) {
    const std::string colour = sign > 0 ? "0" : "1";
    std::vector<double> ratio, gains, pulls;
    for (int i = 1; i <= 400; ++i) {
      const double rho = i / 200.0 - 0.0025;
      const TokenLoss token = policy_loss({std::log(rho), 0, 0}, sign, options);
      ratio.push_back(rho), gains.push_back(-token.loss), pulls.push_back(-token.slope);
    }
    gain.curve(ratio, gains, "line s" + colour);
    draw_pieces(pull, ratio, pulls, "line s" + colour);
    svg.circle(gain.at(1, sign), 4, "f" + colour);
    svg.text(534, label, fmt::format("advantage {}", sign), "small n" + colour);
    label += 20;
  }
  return svg.finish();
}

}  // namespace cria::figure
