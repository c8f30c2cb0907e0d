// Chapter 21: when the pieces of a gradient travel between two ranks, after backward and during it.
#include <fmt/format.h>

#include <array>

#include "app/figure/figures.hpp"
#include "app/figure/svg.hpp"
#include "chapters/21-several-machines/machine_costs.hpp"

namespace cria::figure {
namespace {

constexpr size_t layers = 4, kept = 2;  // pieces of one layer each; those of the upper layers are rank 1's part
constexpr double each_layer = 10, each_piece = 6;
constexpr double names_width = 150, ms_width = 6.6, step_row = 30, step_bar = 22;

struct Bar {
  double from, to;
  std::string text;
};

void draw_row(Svg& svg, double y, const char* name, std::span<const Bar> bars, const char* colour) {
  svg.text(16, y + 15, name, "small");
  for (const Bar& b : bars) {
    const Box box = {names_width + ms_width * b.from, y, ms_width * (b.to - b.from), step_bar};
    svg.rect(box, colour, 0.75, 2);
    svg.text(box.middle_x(), y + 15, b.text, "tiny m");
  }
}

void draw_step(Svg& svg, double y, const char* title, std::span<const double> final_at) {
  std::array<Bar, layers> backward;
  std::vector<Bar> there, back;
  for (size_t k = 0; k < layers; ++k)
    backward[k] = {each_layer * double(k), each_layer * double(k + 1), fmt::format("layer {}", layers - 1 - k)};
  double end = 0;
  size_t layer = layers;
  for (const PieceTimes& piece : sum_times(final_at, kept, each_piece)) {
    const std::string name = fmt::format("{}", --layer);
    there.push_back({piece.leaves, piece.arrives, name});
    if (piece.returns > piece.arrives) back.push_back({piece.returns - each_piece, piece.returns, name});
    end = piece.returns;
  }
  svg.text(16, y, title, "strong");
  draw_row(svg, y + 12, "both: backward", backward, "f0");
  draw_row(svg, y + 12 + step_row, "rank 0 to rank 1", there, "f1");
  draw_row(svg, y + 12 + 2 * step_row, "rank 1 to rank 0", back, "f2");
  const double x = names_width + ms_width * end;
  svg.line({x, y + 8}, {x, y + 12 + 3 * step_row}, "thin ink");
  svg.text(x + 6, y + 12 + 3 * step_row - 4, fmt::format("{:g} ms", end), "small strong");
}

}  // namespace

std::string draw_overlap(const Subject&) {
  std::array<double, layers> at_the_end, early;
  at_the_end.fill(each_layer * layers);
  for (size_t k = 0; k < layers; ++k) early[k] = each_layer * double(k + 1);
  Svg svg(700, 324, "A sum that travels while backward is at work",
          "Two ranks go backward through four layers. Sent afterwards, the gradient's pieces follow one another when "
          "all layers are done. Sent meanwhile, each leaves as soon as its layer is done, and only the last is waited "
          "for.");
  svg.text(16, 48, "Two ranks, four layers: 10 ms each in backward, and 6 ms for its gradient on the way.", "dim");
  draw_step(svg, 84, "Afterwards", at_the_end);
  draw_step(svg, 212, "Meanwhile", early);
  return svg.finish();
}

}  // namespace cria::figure
