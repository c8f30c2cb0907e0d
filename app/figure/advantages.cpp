// Chapter 18: the advantages of one answer's tokens, by how far later surprises are trusted.
#include <fmt/format.h>

#include "app/figure/axes.hpp"
#include "app/figure/figures.hpp"
#include "chapters/18-ppo/advantages.hpp"

namespace cria::figure {

std::string draw_advantages(const Subject&) {
  // What a critic might say at each token of an answer that earns 1 at its end.
  const std::vector<double> values = {0.5, 0.53, 0.5, 0.54, 0.56, 0.25, 0.22, 0.26, 0.7, 0.74, 0.85, 0.92};
  const size_t T = values.size();
  std::vector<double> rewards(T, 0), token(T);
  rewards.back() = 1;
  for (size_t t = 0; t < T; ++t) token[t] = double(t + 1);

  Svg svg(
      700, 632, "Advantages of one answer for three λ",
      "A critic expects about a half, falls to a quarter at the sixth token and rises from the ninth on. With "
      "lambda 0 only tokens before its changes have an advantage; with lambda 1 all do, those where it was low most.");
  svg.text(16, 48, "Twelve tokens, of which the last earns 1; γ 1.", "dim");
  const Scale places = {0.5, double(T) + 0.5};
  Axes expected(svg, {64, 104, 460, 170}, places, {0, 1});
  expected.draw({.title = "What the critic expected at each token", .x = "token", .y = ""});
  expected.curve(token, values, "line s3");
  Axes advantage(svg, {64, 356, 460, 220}, places, {-0.4, 0.8});
  advantage.draw({.title = "Advantage of each token", .x = "token", .y = ""});
  advantage.level(0, "axis dashed");
  double label = 382;
  int colour = 0;
  for (const double lambda : {0., 0.95, 1.}) {
    std::vector<double> advantages(T);
    const Shape<1> shape = {T};
    generalised_advantages(View<const double, 1>(rewards.data(), shape), View<const double, 1>(values.data(), shape),
                           {1, lambda}, View<double, 1>(advantages.data(), shape));
    advantage.curve(token, advantages, fmt::format("line s{}", colour));
    for (size_t t = 0; t < T; ++t) svg.circle(advantage.at(token[t], advantages[t]), 3, fmt::format("f{}", colour));
    svg.text(534, label, fmt::format("λ {}", lambda), fmt::format("small n{}", colour));
    label += 20, ++colour;
  }
  return svg.finish();
}

}  // namespace cria::figure
