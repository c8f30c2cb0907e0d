// Chapter 11: the loss of a training run against the floor, which no model can beat.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "app/figure/axes.hpp"
#include "app/figure/figures.hpp"
#include "app/figure/run_log.hpp"
#include "app/figure/subject.hpp"

namespace cria::figure {
namespace {

struct Run {
  std::vector<double> step, batch;              // every step, in bits per byte
  std::vector<double> held_out_step, held_out;  // where the run validated
  std::optional<double> floor;
};

Run read_run(const std::filesystem::path& file) {
  Run run;
  for (const LogLine& line : read_log(file, {"step", "bits_per_byte"})) {
    const bool validated = line.contains("val_loss");
    (validated ? run.held_out_step : run.step).push_back(line.at("step"));
    (validated ? run.held_out : run.batch).push_back(line.at("bits_per_byte"));
    if (line.contains("floor")) run.floor = line.at("floor");
  }
  return run;
}

}  // namespace

std::string draw_loss(const Subject& subject) {
  const std::filesystem::path& log = subject.logs.front();
  if (!std::filesystem::exists(log))
    throw NothingToShow(
        fmt::format("it needs the log of a training run, and there is no {}; name one with --log", log.string()));
  Run run = read_run(log);
  const size_t group = thin_out(run.step, run.batch, 300);
  std::vector<double> steps = run.step, all = run.batch;
  steps.insert(steps.end(), run.held_out_step.begin(), run.held_out_step.end());
  all.insert(all.end(), run.held_out.begin(), run.held_out.end());
  if (run.floor) all.push_back(*run.floor);
  const double last = *std::ranges::max_element(steps);
  Scale y = Scale::of(all);
  y = {y.low * 0.9, y.high * 1.05, Scale::decades};

  Svg svg(
      700, 436, run.floor ? "A training run against the floor" : "A training run",
      "The loss of each batch and of held-out text over the steps, in bits per byte, and the entropy of the source.");
  std::string summary = fmt::format("{:.0f} steps.", last);
  if (!run.held_out.empty()) {
    summary += fmt::format(" Held-out text at the end: {:.4f} bits per byte", run.held_out.back());
    summary += run.floor
                   ? fmt::format(", {:.3f} times the floor of {:.4f}.", run.held_out.back() / *run.floor, *run.floor)
                   : ".";
  }
  svg.text(16, 48, summary, "dim");
  Axes axes(svg, {64, 116, 610, 264}, {0, last}, y);
  axes.draw({.title = "", .x = "step", .y = "bits per byte, on a logarithmic axis", .x_ticks = 8});
  axes.curve(run.step, run.batch, "thin s0");
  for (size_t i = 0; i < run.held_out.size(); ++i) svg.circle(axes.at(run.held_out_step[i], run.held_out[i]), 5, "f1");
  if (run.floor) axes.level(*run.floor, "line s2 dashed");

  svg.line({64, 70}, {90, 70}, "line s0");
  svg.text(98, 74,
           group == 1 ? "each batch, before it is learned from"
                      : fmt::format("new batches, each point the mean of {}", group),
           "small");
  svg.circle({364, 70}, 5, "f1");
  svg.text(376, 74, "held-out text", "small");
  if (run.floor) {
    svg.line({492, 70}, {518, 70}, "line s2 dashed");
    svg.text(526, 74, "the source's entropy", "small");
  }
  return svg.finish();
}

}  // namespace cria::figure
