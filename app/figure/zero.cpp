// Chapter 21: what each of four ranks holds, by the stages of ZeRO.
#include <fmt/format.h>

#include "app/figure/figures.hpp"
#include "app/figure/svg.hpp"
#include "chapters/21-several-machines/machine_costs.hpp"

namespace cria::figure {
namespace {

constexpr size_t four_ranks = 4;
constexpr SharedStep example = {four_ranks, four_ranks, 6400, 1, 1, false};
constexpr double bars_left = 154, bars_top = 96, rank_width = 132, bar_width = 116, bar_height = 22, stage_rows = 112;

// A thing that is `whole` bytes: all of it, or the rank's share at its place.
void draw_share(Svg& svg, Point at, std::uint64_t held, std::uint64_t whole, size_t rank, const char* colour) {
  svg.rect({at.x, at.y, bar_width, bar_height - 4}, "box", 1, 2);
  const double share = double(held) / double(whole);
  svg.rect(
      {at.x + (share < 1 ? bar_width * double(rank) / double(four_ranks) : 0), at.y, bar_width * share, bar_height - 4},
      colour, 0.75, 2);
}

}  // namespace

std::string draw_zero(const Subject&) {
  struct Stage {
    ZeroStage stage;
    const char *name, *adds;
  };
  constexpr Stage stages[] = {{ZeroStage::none, "no ZeRO", "all of everything"},
                              {ZeroStage::moments, "stage 1", "moments shared out"},
                              {ZeroStage::gradients, "stage 2", "gradients, too"},
                              {ZeroStage::weights, "stage 3", "weights, too"}};
  Svg svg(700, bars_top + 4 * stage_rows - 8, "Which rank holds what, by ZeRO's stages",
          "Four ranks with a lane each. Without ZeRO all have weights, gradient and two moments. Stage 1 cuts the "
          "moments "
          "into four, stage 2 the gradients, stage 3 the weights.");
  svg.text(16, 48, "Four ranks, a lane each. At the left the bytes of one rank for each parameter.", "dim");
  for (size_t rank = 0; rank < four_ranks; ++rank)
    svg.text(bars_left + rank_width * double(rank) + bar_width / 2, bars_top - 14, fmt::format("rank {}", rank),
             "small strong m");
  double y = bars_top;
  for (const Stage& s : stages) {
    const StateBytes one = state_bytes(s.stage, example, 0);
    const double each = double(one.weights + one.gradients + one.moments) / double(example.parameters);
    svg.text(16, y + 14, s.name, "strong");
    svg.text(16, y + 34, s.adds, "tiny dim");
    svg.text(16, y + 58, fmt::format("{:g}", each), "small mono");
    for (size_t rank = 0; rank < four_ranks; ++rank) {
      const StateBytes held = state_bytes(s.stage, example, rank);
      const std::uint64_t all = sizeof(real) * example.parameters;
      const double x = bars_left + rank_width * double(rank);
      draw_share(svg, {x, y}, held.weights, all, rank, "f0");
      draw_share(svg, {x, y + bar_height}, held.gradients, all, rank, "f1");
      draw_share(svg, {x, y + 2 * bar_height}, held.moments / 2, all, rank, "f2");
      draw_share(svg, {x, y + 3 * bar_height}, held.moments / 2, all, rank, "f2");
    }
    if (s.stage == ZeroStage::none) {
      constexpr const char* names[] = {"weights", "gradient", "first moment", "second moment"};
      for (size_t i = 0; i < 4; ++i) svg.text(bars_left + 8, y + bar_height * double(i) + 13, names[i], "tiny");
    }
    y += stage_rows;
  }
  return svg.finish();
}

}  // namespace cria::figure
