// Chapter 18: runs that learn from a proxy: what it gives, and what the exact judge says of the same answers.
#include <fmt/format.h>

#include "app/figure/axes.hpp"
#include "app/figure/figures.hpp"
#include "app/figure/run_log.hpp"
#include "app/figure/subject.hpp"

namespace cria::figure {
namespace {

/// All steps faintly, and means of some of them.
void draw_steps(Axes& axes, std::vector<double> step, std::vector<double> value, const std::string& colour) {
  axes.curve(step, value, "thin s" + colour, 0.35);
  thin_out(step, value, 12);
  axes.curve(step, value, "line s" + colour);
}

}  // namespace

std::string draw_hacking(const Subject& subject) {
  // Of each step's own answers.
  const std::vector<LogColumns> runs = read_columns(subject.logs, {"step", "reward", "right"}, {"step"});
  if (runs.empty())
    throw NothingToShow(
        "it needs logs of runs of `finetune` with --reward; name them with --log, as often as there are");
  std::vector<double> steps, rewards;
  for (const LogColumns& run : runs) {
    steps.insert(steps.end(), run["step"].begin(), run["step"].end());
    rewards.insert(rewards.end(), run["reward"].begin(), run["reward"].end());
  }
  const Scale across = Scale::of(steps, true);
  Svg svg(700, 560, "A reward that is a proxy, and what is meant",
          "Above, the reward that is learned from rises over the steps. Below, the share of the same answers that the "
          "exact judge finds right falls where nothing holds the policy, and not where the divergence does.");
  svg.text(16, 48, "Of each step's own answers; thick lines are means of some steps.", "dim");
  Axes proxy(svg, {64, 104, 500, 180}, across, Scale::of(rewards).rounded(5));
  proxy.draw({.title = "The reward that is learned from", .x = "", .y = ""});
  Axes judge(svg, {64, 330, 500, 180}, across, {0, 1});
  judge.draw({.title = "Answers that are right", .x = "step", .y = "", .y_text = percent});
  double label = 116;
  for (size_t i = 0; i < runs.size(); ++i) {
    const std::string colour = fmt::format("{}", i % 6);
    draw_steps(proxy, runs[i]["step"], runs[i]["reward"], colour);
    draw_steps(judge, runs[i]["step"], runs[i]["right"], colour);
    svg.text(576, label, runs[i].file.parent_path().filename().string(), "small n" + colour);
    label += 20;
  }
  return svg.finish();
}

}  // namespace cria::figure
