// Chapter 03: a row of the residual stream before RMSNorm, divided by its root mean square, and scaled by the weights.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/figure/axes.hpp"
#include "app/figure/figures.hpp"
#include "app/figure/subject.hpp"
#include "chapters/03-rmsnorm/rmsnorm.hpp"

namespace cria::figure {
namespace {

double rms(std::span<const real> row) {
  double squares = 0;
  for (const real value : row) squares += double(value) * value;
  return std::sqrt(squares / double(row.size()));
}

void bars(Axes& axes, Svg& svg, std::span<const real> row, const char* colour) {
  const double wide = axes.box().width / double(row.size());
  for (size_t c = 0; c < row.size(); ++c) {
    const double from = axes.at(0, 0).y, to = axes.at(0, row[c]).y;
    svg.rect({axes.box().x + double(c) * wide, std::min(from, to), wide * 0.8, std::abs(to - from)}, colour);
  }
}

}  // namespace

std::string draw_rmsnorm(const Subject& subject) {
  // The norm before the last layer's feed-forward, as there the rows differ most in size; of its rows the smallest and
  // the largest.
  const LayerActivations& layer = subject.activations.last_layer();
  const LayerTensors<real>& weights = subject.model.weights.tensors().layers.back();
  const size_t T = subject.tokens.size(), C = subject.config().dim, shown = std::min<size_t>(C, 128);
  const auto rms_of = [&](size_t t) { return rms(layer.middle[t].span()); };
  size_t small = 0, large = 0;
  for (size_t t = 1; t < T; ++t) {
    if (rms_of(t) < rms_of(small)) small = t;
    if (rms_of(t) > rms_of(large)) large = t;
  }
  if (small == large) throw NothingToShow("it compares two tokens, and this text has one");
  std::vector<real> divided(2 * C), scaled(2 * C), ones(C, 1), inverse_rms(2);
  const size_t chosen[] = {small, large};
  for (size_t i = 0; i < 2; ++i) {
    const auto x = layer.middle.rows(chosen[i], chosen[i] + 1);
    const real eps = real(subject.config().norm_eps);
    const View<real, 1> one_inverse(&inverse_rms[i], {1});
    rmsnorm_forward(x, View<real, 1>(ones.data(), {C}), eps, View<real, 2>(&divided[i * C], {1, C}), one_inverse);
    rmsnorm_forward(x, weights.feed_forward_norm, eps, View<real, 2>(&scaled[i * C], {1, C}), one_inverse);
  }

  struct Stage {
    std::string title;
    std::span<const real> rows[2];
    const char* colour;
  };
  const auto row = [&](const std::vector<real>& rows, size_t i) { return std::span(rows).subspan(i * C, C); };
  const Stage stages[] = {
      {"x, as it comes in", {layer.middle[small].span(), layer.middle[large].span()}, "f0"},
      {"x / rms", {row(divided, 0), row(divided, 1)}, "f1"},
      {"x / rms · weight", {row(scaled, 0), row(scaled, 1)}, "f2"},
  };
  constexpr double panel = 282, height = 120, pitch = 196;
  Svg svg(
      700, 62 + 3 * pitch + 16, "RMSNorm: two rows of different size, before and after",
      "The channels of the smallest and the largest row, as they are, divided by their root mean square, and scaled "
      "by the weights. Dashed lines stand at plus and minus the root mean square.");
  svg.text(16, 48,
           fmt::format("{} channels before the feed-forward of layer {}. Dashed: ± the root mean square (rms).",
                       shown == C ? fmt::format("All {}", C) : fmt::format("The first {} of {}", shown, C),
                       subject.config().layers - 1),
           "dim");
  for (size_t s = 0; s < 3; ++s) {
    std::vector<double> values;
    for (const auto& rows : stages[s].rows) values.insert(values.end(), rows.begin(), rows.begin() + long(shown));
    const Scale y = Scale::of(values, true);
    for (size_t i = 0; i < 2; ++i) {
      const double size = rms(stages[s].rows[i]);
      Axes axes(svg, {52 + double(i) * (panel + 56), 104 + double(s) * pitch, panel, height}, {0, double(shown)}, y);
      axes.draw({.title = fmt::format("{}, \"{}\"", stages[s].title, subject.label(subject.tokens[chosen[i]], 14)),
                 .x = s == 2 ? "channel" : "",
                 .y = fmt::format("rms {:.2f}", size)});
      bars(axes, svg, stages[s].rows[i].first(shown), stages[s].colour);
      for (const double sign : {-1.0, 1.0})
        if (sign * size >= y.low && sign * size <= y.high) axes.level(sign * size, "axis dashed");
    }
  }
  return svg.finish();
}

}  // namespace cria::figure
