// Chapter 14: for how many turns models keep to an instruction.
#include <fmt/format.h>

#include <cmath>

#include "app/figure/axes.hpp"
#include "app/figure/figures.hpp"
#include "app/figure/run_log.hpp"
#include "app/figure/subject.hpp"

namespace cria::figure {
namespace {

std::string whole_number(double value) { return fmt::format("{:.0f}", value); }

/// A standard error up and down of each point.
void draw_errors(Svg& svg, const Axes& axes, const LogColumns& model, const std::string& colour) {
  const std::vector<double>&turn = model["turn"], &obeyed = model["obeyed"];
  for (size_t t = 0; t < turn.size(); ++t) {
    const double p = obeyed[t], error = std::sqrt(p * (1 - p) / model["dialogues"].back());
    svg.line(axes.at(turn[t], p - error), axes.at(turn[t], p + error), "line s" + colour);
  }
}

}  // namespace

std::string draw_obedience(const Subject& subject) {
  const std::vector<LogColumns> models = read_columns(subject.logs, {"turn", "obeyed", "dialogues"});
  if (models.empty())
    throw NothingToShow("it needs logs of `instructions obedience`; name them with --log, as often as there are");
  double last = 0;
  for (const LogColumns& model : models) last = std::max(last, model["turn"].back());
  Svg svg(700, 360, "How long an instruction holds",
          "The share of answers that obey an instruction, over the turns of a dialogue whose first question it was "
          "given with.");
  svg.text(16, 48, "An instruction that is given in turn 1; bars are a standard error up and down.", "dim");
  Axes axes(svg, {64, 92, 440, 210}, {1, last}, {0, 1});
  axes.draw({.title = "Answers that obey it",
             .x = "turn",
             .y = "",
             .x_text = whole_number,
             .y_text = percent,
             .x_ticks = std::min<size_t>(size_t(last), 10)});
  std::vector<double> heights;
  for (size_t i = 0; i < models.size(); ++i) {
    const std::string colour = fmt::format("{}", i % 6);
    const std::vector<double>&turn = models[i]["turn"], &obeyed = models[i]["obeyed"];
    axes.curve(turn, obeyed, "line s" + colour);
    draw_errors(svg, axes, models[i], colour);
    heights.push_back(axes.at(turn.back(), obeyed.back()).y + 4);
  }
  heights = spread(heights, 18, 96, 310);
  for (size_t i = 0; i < models.size(); ++i)
    svg.text(516, heights[i], models[i].file.stem().string(), fmt::format("small n{}", i % 6));
  return svg.finish();
}

}  // namespace cria::figure
