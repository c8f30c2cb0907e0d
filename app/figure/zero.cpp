// Chapter 21: what each of four ranks holds, by ZeRO's stages, and how the sum goes along them.
#include <fmt/format.h>

#include "app/figure/figures.hpp"
#include "app/figure/svg.hpp"
#include "chapters/21-several-machines/machine_costs.hpp"

namespace cria::figure {
namespace {

constexpr size_t ranks = 4;
constexpr SharedStep four = {ranks, ranks, 6400, 1, 1, false};
constexpr double left = 150, top = 96, column = 132, width = 116, bar = 22, row = 136;

// A thing that is `whole` bytes: all of it, or the rank's share at its place.
void draw_part(Svg& svg, Point at, std::uint64_t held, std::uint64_t whole, size_t rank, const char* colour) {
  svg.rect({at.x, at.y, width, bar - 4}, "box", 1, 2);
  const double share = double(held) / double(whole);
  svg.rect({at.x + (share < 1 ? width * double(rank) / double(ranks) : 0), at.y, width * share, bar - 4}, colour, 0.75,
           2);
}

}  // namespace

std::string draw_zero(const Subject&) {
  struct Stage {
    ZeroStage stage;
    const char *name, *adds;
  };
  constexpr Stage stages[] = {{ZeroStage::none, "no ZeRO", "all of everything"},
                              {ZeroStage::moments, "stage 1", "moments are shared out"},
                              {ZeroStage::gradients, "stage 2", "gradients, too"},
                              {ZeroStage::weights, "stage 3", "weights, too"}};
  Svg svg(
      700, top + 4 * row + 6, "Which rank holds what, by ZeRO's stages",
      "Four ranks with a lane each. Without ZeRO all have weights, gradient and two moments. Stage 1 cuts the moments "
      "into four, stage 2 the gradients, stage 3 the weights.");
  svg.text(16, 48, "Four ranks, a lane each. At the left the bytes of one rank for each parameter.", "dim");
  for (size_t rank = 0; rank < ranks; ++rank)
    svg.text(left + column * double(rank) + width / 2, top - 14, fmt::format("rank {}", rank), "small strong m");
  double y = top;
  for (const Stage& s : stages) {
    const StateBytes one = state_bytes(s.stage, four, 0);
    const double each = double(one.weights + one.gradients + one.moments) / double(four.parameters);
    svg.text(16, y + 14, s.name, "strong");
    svg.text(16, y + 34, s.adds, "tiny dim");
    svg.text(16, y + 58, fmt::format("{:g}", each), "small mono");
    for (size_t rank = 0; rank < ranks; ++rank) {
      const StateBytes held = state_bytes(s.stage, four, rank);
      const std::uint64_t all = sizeof(real) * four.parameters;
      const double x = left + column * double(rank);
      draw_part(svg, {x, y}, held.weights, all, rank, "f0");
      draw_part(svg, {x, y + bar}, held.gradients, all, rank, "f1");
      draw_part(svg, {x, y + 2 * bar}, held.moments / 2, all, rank, "f2");
      draw_part(svg, {x, y + 3 * bar}, held.moments / 2, all, rank, "f2");
    }
    if (s.stage == ZeroStage::none) {
      constexpr const char* names[] = {"weights", "gradient", "first moment", "second moment"};
      for (size_t i = 0; i < 4; ++i) svg.text(left + 8, y + bar * double(i) + 13, names[i], "tiny");
    }
    y += row;
  }
  return svg.finish();
}

}  // namespace cria::figure
