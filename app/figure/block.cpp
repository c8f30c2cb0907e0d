// Chapter 08: how a layer is wired around the residual stream, and how large the stream is on its way.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/figure/figures.hpp"
#include "app/figure/subject.hpp"
#include "app/figure/svg.hpp"

namespace cria::figure {
namespace {

/// The root mean square of all entries.
double size_of(View<const real, 2> x) {
  double squares = 0;
  for (const real value : x.span()) squares += double(value) * value;
  return std::sqrt(squares / double(x.size()));
}

constexpr double stream_x = 70, box_x = 130, box_width = 250, box_height = 28;

/// A component with its chapter at its right.
void component(Svg& svg, double y, const std::string& name, const char* colour, const char* chapter) {
  svg.rect({box_x, y, box_width, box_height}, colour, 0.3, 4);
  svg.text(box_x + 10, y + 19, name);
  svg.text(box_x + box_width - 8, y + 19, chapter, "small dim e");
}

void plus(Svg& svg, double y) {
  svg.circle({stream_x, y}, 11, "box");
  svg.text(stream_x, y + 5, "+", "m strong");
}

/// A branch from the stream through the components and back into a sum. Returns the height where it ends.
double branch(Svg& svg, double y, std::initializer_list<std::tuple<std::string, const char*, const char*>> parts) {
  svg.line({stream_x, y + box_height / 2}, {box_x - 2, y + box_height / 2}, "line s5");
  svg.arrow({box_x - 12, y + box_height / 2}, {box_x - 1, y + box_height / 2}, "line s5");
  double at = y;
  for (const auto& [name, colour, chapter] : parts) {
    if (at > y) svg.arrow({box_x + 40, at - 12}, {box_x + 40, at - 1}, "thin axis");
    component(svg, at, name, colour, chapter);
    at += box_height + 12;
  }
  const double end = at - 12 - box_height / 2;
  svg.arrow({box_x, end}, {stream_x + 13, end}, "line s5");
  return end;
}

struct Stage {
  std::string name;
  double size;
  const char* colour;
};

}  // namespace

std::string draw_block(const Subject& subject) {
  const LlamaConfig& c = subject.config();
  const LlamaActivations& a = subject.activations;
  std::vector<Stage> stages = {{"embedding", size_of(a.layer(0).input), "f5"}};
  for (const size_t i : choose(c.layers, 6)) {
    stages.push_back({fmt::format("layer {}, attention", i), size_of(a.layer(i).middle), "f1"});
    stages.push_back({fmt::format("layer {}, feed-forward", i), size_of(a.layer(i).output), "f2"});
  }
  stages.push_back({"last norm", size_of(a.normed), "f0"});

  Svg svg(700, 652, "A Llama: components around the residual stream",
          "Left, the wiring of one layer. Right, the root mean square of the residual stream after each part of this "
          "model.");
  svg.text(16, 48,
           fmt::format("{} layers like this one, between embedding and head. C = {}, F = {}.", c.layers, c.dim,
                       c.hidden_dim),
           "dim");
  component(svg, 70, fmt::format("embedding ({}, {})", c.vocabulary_size, c.dim), "f5", "02");
  svg.line({box_x, 84}, {stream_x, 84}, "line s5");
  svg.line({stream_x, 83}, {stream_x, 560}, "line s5");
  svg.text_upwards(stream_x - 22, 250, fmt::format("residual stream (N, {})", c.dim), "small n5");

  svg.rect({28, 112, 380, 424}, "axis dashed", 1, 8);
  svg.text(400, 130, fmt::format("{} times", c.layers), "small dim e");
  const std::string heads = fmt::format("q, k, v: {}, {}, {} heads of {}", c.heads, c.kv_heads, c.kv_heads, c.head_dim);
  const double first = branch(svg, 138,
                              {{"RMSNorm", "f0", "03"},
                               {heads, "f4", "02"},
                               {"RoPE turns q and k", "f1", "04"},
                               {"attention, with its cache", "f1", "05, 06"},
                               {"output projection", "f4", "02"}});
  plus(svg, first);
  const double second = branch(svg, 366,
                               {{"RMSNorm", "f0", "03"},
                                {fmt::format("gate and up: {} → {}", c.dim, c.hidden_dim), "f4", "02"},
                                {"SwiGLU", "f2", "07"},
                                {fmt::format("down: {} → {}", c.hidden_dim, c.dim), "f4", "02"}});
  plus(svg, second);
  svg.line({stream_x, 559}, {stream_x, 565}, "line s5");
  svg.arrow({stream_x - 1, 564}, {box_x - 1, 564}, "line s5");
  component(svg, 550, "RMSNorm", "f0", "03");
  svg.arrow({box_x + 40, 578}, {box_x + 40, 589}, "thin axis");
  component(svg, 590, fmt::format("head: {} logits", c.vocabulary_size), "f5", "02");
  svg.text(box_x + 10, 637, "softmax and sampling: 09; the loss: 10", "small dim");

  const double left = 440, bar = 150;
  double most = 0;
  for (const Stage& stage : stages) most = std::max(most, stage.size);
  svg.text(left, 84, "The stream's size on its way", "strong");
  svg.text(left, 102, "root mean square over this text", "small dim");
  const double pitch = std::min(40.0, 520 / double(stages.size()));
  for (size_t i = 0; i < stages.size(); ++i) {
    const double y = 124 + pitch * double(i);
    svg.text(left, y + 10, stages[i].name, "small");
    svg.rect({left, y + 15, bar * stages[i].size / most, pitch - 28 > 4 ? pitch - 28 : 4}, stages[i].colour, 0.8);
    svg.text(left + bar * stages[i].size / most + 8, y + 24, fmt::format("{:.2f}", stages[i].size), "small dim");
  }
  return svg.finish();
}

}  // namespace cria::figure
