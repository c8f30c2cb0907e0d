#include "app/align_figure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "app/figure/axes.hpp"
#include "chapters/17-rejection-sampling/best_of.hpp"

namespace cria {

double share_error(double share, std::size_t count) { return std::sqrt(share * (1 - share) / double(count)); }

std::string draw_alignment(std::span<const AlignRow> rows, std::size_t judged) {
  using namespace figure;
  const double p = std::clamp(rows.front().reward, 1.0 / double(judged), 1 - 1.0 / double(judged));
  double widest = 1;
  for (const AlignRow& row : rows) widest = std::max(widest, row.divergence + 2 * row.divergence_error);
  Svg svg(
      700, 440, "What each method gains, and how far it goes",
      "Requests obeyed over the divergence from the model before in nats: a point for each method, and the curve that "
      "none can pass.");
  svg.text(16, 48,
           fmt::format("From a model that obeys {:.0f} % of requests for combinations that it never met.", 100 * p),
           "dim");
  Axes axes(svg, {64, 104, 600, 270}, Scale{0, widest}.rounded(5), {0, 1});
  axes.draw({.title = "Success against divergence from the model before",
             .x = "divergence of an answer, nats",
             .y = "requests obeyed",
             .y_text = percent});
  std::vector<double> divergence, success;
  for (int i = 0; i < 400; ++i) {
    success.push_back(p + (1 - p) * i / 400.0);
    divergence.push_back(bernoulli_divergence(success.back(), p));
  }
  axes.curve(divergence, success, "line s0");
  for (const size_t n : {2, 4, 8}) {
    const Point at = axes.at(best_of_divergence(p, n), best_of_success(p, n));
    svg.circle(at, 3, "f0");
    svg.text(at.x - 6, at.y - 8, fmt::format("best of {}", n), "tiny e n0");
  }
  size_t colour = 0;
  for (const AlignRow& row : rows) {
    const std::string number = fmt::format("{}", colour == 0 ? 0 : 1 + (colour - 1) % 5);
    const double error = share_error(row.reward, judged);
    const Point at = axes.at(std::max(row.divergence, 0.0), row.reward);
    svg.line(axes.at(std::max(row.divergence, 0.0), row.reward - error),
             axes.at(std::max(row.divergence, 0.0), row.reward + error), "line s" + number);
    svg.line(axes.at(std::max(row.divergence - row.divergence_error, 0.0), row.reward),
             axes.at(row.divergence + row.divergence_error, row.reward), "line s" + number);
    svg.circle(at, 5, "f" + number);
    svg.text(at.x + 10, at.y + 16, row.name, "strong n" + number);
    ++colour;
  }
  return svg.finish();
}

}  // namespace cria
