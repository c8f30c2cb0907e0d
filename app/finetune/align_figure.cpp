#include "app/finetune/align_figure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "app/figure/axes.hpp"
#include "chapters/17-rejection-sampling/best_of.hpp"

namespace cria {

double share_error(double share, std::size_t count) { return std::sqrt(share * (1 - share) / double(count)); }

// Over the root of the divergence, as Gao et al. 2022 (arXiv:2210.10760) do: the frontier is nearly straight then.
std::string draw_alignment(std::span<const AlignRow> rows, std::size_t judged) {
  using namespace figure;
  const auto root = [](double divergence) { return std::sqrt(std::max(divergence, 0.0)); };
  const double p = std::clamp(rows.front().reward, 1.0 / double(judged), 1 - 1.0 / double(judged));
  double widest = 1;
  for (const AlignRow& row : rows) widest = std::max(widest, root(row.divergence + 2 * row.divergence_error));
  Svg svg(
      700, 440, "What each method gains, and how far it goes",
      "Requests obeyed over the root of the divergence from the model before: a point for each method, and the curve "
      "that none can pass.");
  svg.text(16, 48,
           fmt::format("From a model that obeys {:.0f} % of requests for combinations that it never met.", 100 * p),
           "dim");
  const Box box = {64, 104, 560, 270};
  Axes axes(svg, box, Scale{0, 1.1 * widest}.rounded(5), {0, 1});
  axes.draw({.title = "Success against divergence from the model before",
             .x = "root of an answer's divergence in nats",
             .y = "requests obeyed",
             .y_text = percent});
  std::vector<double> divergence, success;
  for (int i = 0; i < 400; ++i) {
    success.push_back(p + (1 - p) * i / 400.0);
    divergence.push_back(root(bernoulli_divergence(success.back(), p)));
  }
  axes.curve(divergence, success, "line s0");
  for (const size_t n : {2, 8}) {
    const Point at = axes.at(root(best_of_divergence(p, n)), best_of_success(p, n));
    svg.circle(at, 3, "f0");
    svg.text(at.x + 8, at.y + 4, fmt::format("best of {}", n), "tiny n0");
  }
  // Names stand beside their points; those near the start are moved apart.
  std::vector<size_t> order, near;
  for (size_t i = 0; i < rows.size(); ++i)
    (axes.at(root(rows[i].divergence), 0).x < box.x + 100 ? near : order).push_back(i);
  std::ranges::sort(near, {}, [&](size_t i) { return -rows[i].reward; });
  std::vector<double> heights;
  for (const size_t i : near) heights.push_back(axes.at(0, rows[i].reward).y + 4);
  heights = spread(heights, 16, box.y + 30, box.bottom());
  for (const size_t i : order) heights.push_back(axes.at(0, rows[i].reward).y + 4);
  order.insert(order.begin(), near.begin(), near.end());
  for (size_t k = 0; k < order.size(); ++k) {
    const size_t i = order[k];
    const AlignRow& row = rows[i];
    const std::string number = fmt::format("{}", i == 0 ? 0 : 1 + (i - 1) % 5);
    const double error = share_error(row.reward, judged);
    const Point at = axes.at(root(row.divergence), row.reward);
    svg.line(axes.at(root(row.divergence), row.reward - error), axes.at(root(row.divergence), row.reward + error),
             "line s" + number);
    svg.circle(at, 5, "f" + number);
    svg.text(at.x + 12, heights[k], fmt::format("{}, {:.0f} %", row.name, 100 * row.reward), "strong n" + number);
  }
  return svg.finish();
}

}  // namespace cria
