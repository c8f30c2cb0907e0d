// Chapter 12: how far off a number is after it was stored in 16 bits, by its size, and how large a model's weights are.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/figure/axes.hpp"
#include "app/figure/figures.hpp"
#include "app/figure/subject.hpp"
#include "lib/formats/encode.hpp"

namespace cria::figure {
namespace {

constexpr int lowest = -32, highest = 20;  // powers of two

/// The largest relative error of numbers from 2^power to 2^(power + 1), those half-way between two stored ones among
/// them.
double largest_error(ElementType type, int power) {
  std::vector<real> values;
  for (int i = 0; i < 2047; ++i) values.push_back(real(std::ldexp(1 + i / 2048.0, power)));
  std::string stored;
  encode_elements(type, values, stored);
  std::vector<real> read(values.size());
  convert_elements<real>(type, reinterpret_cast<const std::byte*>(stored.data()), read);
  double most = 0;
  for (size_t i = 0; i < values.size(); ++i) most = std::max(most, std::abs(double(read[i]) / double(values[i]) - 1));
  return most;
}

std::string power_text(double value) { return fmt::format("2^{:.0f}", std::log2(value)); }

}  // namespace

std::string draw_number_formats(const Subject& subject) {
  Svg svg(700, 590, "What 16 bits make of a number",
          "Above, the largest relative error of numbers of each size after they were stored as F16 and as BF16. Below, "
          "how many of this model's weights have each size.");
  svg.text(16, 48, "The largest relative error in each doubling, and the sizes of this model's weights.", "dim");
  const Scale sizes{std::ldexp(1.0, lowest), std::ldexp(1.0, highest), Scale::doublings};
  Axes errors(svg, {76, 104, 500, 236}, sizes, {1e-4, 1, Scale::decades});
  errors.draw({.title = "", .x = "", .y = "relative error", .x_text = power_text, .y_text = percent, .x_ticks = 7});
  struct Format {
    ElementType type;
    const char *name, *colour;
  };
  const Format formats[] = {{ElementType::bf16, "BF16", "0"}, {ElementType::f16, "F16", "1"}};
  std::vector<double> heights;
  for (const Format& f : formats) {
    std::vector<double> x, y;
    for (int power = lowest; power < highest; ++power) {
      const double error = largest_error(f.type, power);
      if (!std::isfinite(error)) {  // beyond 65504
        const double edge = errors.at(std::ldexp(1.0, power), 1).x;
        svg.line({edge, errors.box().y}, {edge, errors.box().bottom()}, fmt::format("thin dashed s{}", f.colour));
        svg.text(edge + 5, errors.box().y + 14, "infinite", fmt::format("small n{}", f.colour));
        break;
      }
      for (const int end : {power, power + 1}) x.push_back(std::ldexp(1.0, end)), y.push_back(error);
    }
    errors.curve(x, y, fmt::format("line s{}", f.colour));
    heights.push_back(errors.at(1, y[y.size() - 1]).y);
  }
  for (size_t i = 0; i < 2; ++i)
    svg.text(584, heights[i] + 4, formats[i].name, fmt::format("strong n{}", formats[i].colour));

  std::vector<double> share(size_t(highest - lowest));
  size_t inside = 0;
  const std::span<const real> weights = subject.model.weights.flat();
  for (const real w : weights) {
    const int power = w == 0 ? lowest - 1 : std::ilogb(w);
    if (power >= lowest && power < highest) ++share[size_t(power - lowest)], ++inside;
  }
  for (double& s : share) s /= double(weights.size());
  Axes counts(svg, {76, 420, 500, 120}, sizes, Scale::of(share, true).rounded(3));
  counts.draw({.title = "",
               .x = "size of the number",
               .y = "share of this model's weights",
               .x_text = power_text,
               .y_text = percent,
               .x_ticks = 7,
               .y_ticks = 3});
  for (int power = lowest; power < highest; ++power) {
    const Point top = counts.at(std::ldexp(1.0, power), share[size_t(power - lowest)]);
    const double right = counts.at(std::ldexp(1.0, power + 1), 0).x;
    svg.rect({top.x + 0.5, top.y, right - top.x - 1, counts.box().bottom() - top.y}, "f2", 0.8);
  }
  return svg.finish();
}

}  // namespace cria::figure
