// Chapter 10: the learning rate over a run, and what AdamW's bias correction is for.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/figure/axes.hpp"
#include "app/figure/figures.hpp"
#include "app/figure/subject.hpp"
#include "chapters/11-pretraining/recipe.hpp"

namespace cria::figure {
namespace {

/// AdamW's state over the first steps for a gradient that is always 1.
struct Moments {
  std::vector<double> step, first, second, uncorrected, corrected;
};

/// Runs chapter 10's AdamW on a tiny model at learning rate 1 and without decay, so that a step's length is seen as the
/// change of a weight.
Moments moments_of(AdamWOptions options, size_t steps) {
  options.weight_decay = 0;
  const LlamaConfig tiny{.vocabulary_size = 2,
                         .dim = 2,
                         .hidden_dim = 2,
                         .layers = 1,
                         .heads = 1,
                         .kv_heads = 1,
                         .head_dim = 2,
                         .context = 1};
  const LlamaParameters weights(tiny), gradients(tiny);
  std::ranges::fill(gradients.flat(), real(1));
  AdamW adamw(weights, options);
  ThreadPool pool(1);
  Moments m;
  for (size_t t = 1; t <= steps; ++t) {
    const double before = weights.flat()[0];
    adamw.step(weights, gradients, 1, 1, pool);
    m.step.push_back(double(t));
    m.first.push_back(adamw.first_moment().flat()[0]);
    m.second.push_back(adamw.second_moment().flat()[0]);
    m.uncorrected.push_back(m.first.back() / (std::sqrt(m.second.back()) + options.eps));
    m.corrected.push_back(before - weights.flat()[0]);
  }
  return m;
}

}  // namespace

std::string draw_schedule(const Subject& subject) {
  const auto file = subject.folder / "recipe.yaml";
  const Recipe recipe = std::filesystem::exists(file) ? read_recipe(file) : Recipe();
  const AdamWOptions& adamw = recipe.training.adamw;
  const Schedule schedule{recipe.learning_rate, recipe.learning_rate * recipe.final_learning_rate, recipe.warmup, 1};
  std::vector<double> time, rates;
  for (int i = 0; i <= 400; ++i) time.push_back(i / 400.0), rates.push_back(learning_rate(schedule, time.back()));

  Svg svg(700, 652, "The training step: learning rate and bias correction",
          "Above, the learning rate over a run. Below, AdamW's running means in the first steps for a gradient that is "
          "always 1, and the step with and without the correction of their bias.");
  svg.text(16, 48,
           fmt::format("Learning rate {:g}, warm-up {}, beta1 {:g}, beta2 {:g}.", recipe.learning_rate,
                       percent(recipe.warmup), adamw.beta1, adamw.beta2),
           "dim");
  Axes rate(svg, {64, 104, 600, 160}, {0, 1}, Scale::of(rates, true).rounded(5));
  rate.draw({.title = "Learning rate", .x = "share of the run", .y = "", .x_text = percent});
  rate.curve(time, rates, "line s0");

  // As long as it takes until the slower mean holds nine tenths of what it will.
  const size_t steps = std::clamp<size_t>(size_t(std::log(0.1) / std::log(adamw.beta2)), 20, 400);
  const Moments m = moments_of(adamw, steps);
  struct Line {
    const char* name;
    const std::vector<double>& y;
    const char* colour;
  };
  const Line lines[] = {{"mean of g", m.first, "0"},
                        {"mean of g²", m.second, "2"},
                        {"step, not corrected", m.uncorrected, "1"},
                        {"step, corrected", m.corrected, "3"}};
  std::vector<double> all;
  for (const Line& line : lines) all.insert(all.end(), line.y.begin(), line.y.end());
  Axes means(svg, {64, 366, 460, 230}, {1, double(steps)}, Scale::of(all, true).rounded(5));
  means.draw({.title = "AdamW's first steps, for a gradient that is always 1",
              .x = "step",
              .y = "the step is in units of the learning rate"});
  std::vector<double> heights;
  for (const Line& line : lines) {
    means.curve(m.step, line.y, fmt::format("line s{}", line.colour));
    heights.push_back(means.at(1, line.y.back()).y);
  }
  heights = spread(heights, 18, 360, 590);
  for (size_t i = 0; i < 4; ++i)
    svg.text(534, heights[i] + 4, lines[i].name, fmt::format("small n{}", lines[i].colour));
  return svg.finish();
}

}  // namespace cria::figure
