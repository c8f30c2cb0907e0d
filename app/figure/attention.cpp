// Chapter 05: the attention maps of every head, and how query heads share keys and values.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/figure/figures.hpp"
#include "app/figure/presets.hpp"
#include "app/figure/subject.hpp"
#include "app/figure/svg.hpp"
#include "lib/simd/primitives.hpp"

namespace cria::figure {
namespace {

/// p[t, s] of one head, formed as backward forms it: exp(q·k / √Dh - log_sum_exp).
double probability(const Subject& subject, size_t layer, size_t head, size_t t, size_t s) {
  if (s > t) return 0;
  const LlamaConfig& c = subject.config();
  const LayerActivations& a = subject.activations.layer(layer);
  const size_t D = c.head_dim, group = head / (c.heads / c.kv_heads);
  const double score = double(simd::dot(&a.query(t, head * D), &a.key(s, group * D), D)) / std::sqrt(double(D));
  return std::exp(score - double(a.log_sum_exp(t, head)));
}

/// Query heads above, the key/value heads that serve them below.
void draw_sharing(Svg& svg, const Box& box, size_t heads, size_t kv_heads, const std::string& title) {
  const double pitch = box.width / double(heads), size = std::min(pitch - 4, 26.0);
  const size_t group = heads / kv_heads;
  const double query_y = box.y + 38, key_y = box.y + 108;
  svg.text(box.x, box.y, title, "strong");
  svg.text(box.x, box.y + 22, "queries", "small dim");
  for (size_t g = 0; g < kv_heads; ++g) {
    const double centre = box.x + pitch * (double(g * group) + double(group) / 2);
    const std::string colour = fmt::format("{}", g % 6);
    for (size_t i = 0; i < group; ++i) {
      const double x = box.x + pitch * (double(g * group + i) + 0.5);
      svg.line({x, query_y + size}, {centre, key_y}, "thin s" + colour);
      svg.rect({x - size / 2, query_y, size, size}, "f" + colour, 0.45, 3);
      svg.text(x, query_y + size / 2 + 4, fmt::format("{}", g * group + i), "small m");
    }
    svg.rect({centre - size / 2, key_y, size, size}, "f" + colour, 0.45, 3);
    svg.text(centre, key_y + size / 2 + 4, fmt::format("{}", g), "small m");
  }
  svg.text(box.x, key_y + size + 18, "keys and values", "small dim");
}

}  // namespace

std::string draw_attention(const Subject& subject) {
  const size_t T = subject.first(16);
  if (T < 2) throw NothingToShow("it is about looking back, and this text has one token");
  const std::vector<size_t> layers = choose(subject.config().layers, 4), heads = choose(subject.config().heads, 4);
  std::vector<std::string> labels;
  double widest = 0;
  for (size_t t = 0; t < T; ++t) {
    labels.push_back(subject.label(subject.tokens[t], 10));
    widest = std::max(widest, mono_width(labels.back(), 11));
  }
  constexpr double gap = 14, top = 92;
  const double left = 16 + widest + 8;
  const double side = std::min(210.0, (700 - 16 - left - gap * double(heads.size() - 1)) / double(heads.size()));
  const double cell = side / double(T), pitch = side + 34;
  const double height = top + pitch * double(layers.size()) - 34 + widest + 22;
  Svg svg(700, height, "Attention maps: where each token looks",
          "One map for each layer and head: a row for each query, a column for each key. The stronger the colour, the "
          "more of that key's value is taken. Nothing stands above the diagonal: no token sees a later one.");
  svg.text(16, 48, "Rows are queries, columns keys. A row's weights sum to 1; the stronger the colour, the larger.",
           "dim");
  for (size_t l = 0; l < layers.size(); ++l) {
    const double y = top + pitch * double(l);
    for (size_t t = 0; t < T; ++t) svg.text(left - 8, y + cell * (double(t) + 0.5) + 4, labels[t], "tiny mono e");
    for (size_t h = 0; h < heads.size(); ++h) {
      const Box box{left + (side + gap) * double(h), y, side, side};
      svg.text(box.middle_x(), y - 9, fmt::format("layer {}, head {}", layers[l], heads[h]), "small m strong");
      svg.heat_map(box, T, T, [&](size_t t, size_t s) { return probability(subject, layers[l], heads[h], t, s); });
      svg.curve(std::vector<Point>{{box.x, box.y}, {box.x, box.bottom()}, {box.right(), box.bottom()}}, "axis");
      if (l + 1 == layers.size())
        for (size_t s = 0; s < T; ++s)
          svg.text_upwards(box.x + cell * (double(s) + 0.5) + 4, box.bottom() + 8, labels[s], "tiny mono");
    }
  }
  return svg.finish();
}

std::string draw_gqa(const Subject& subject) {
  const LlamaConfig& own = subject.config();
  const bool grouped = own.kv_heads > 1 && own.kv_heads < own.heads;
  const Preset model =
      grouped ? Preset{"This model", own.layers, own.heads, own.kv_heads, own.head_dim, own.context} : llama3_8b;
  const size_t group = model.heads / model.kv_heads;
  const size_t drawn = std::max<size_t>(8 / group, 1) * group;  // whole groups, so a head more or less than eight
  if (drawn > 16) throw NothingToShow(fmt::format("groups of {} heads are too large to draw", group));
  Svg svg(700, 446, "Grouped-query attention: heads that share keys and values",
          "Multi-head, grouped-query and multi-query attention, and the size of the cache that each needs.");
  svg.text(16, 48,
           fmt::format("{}: {} query heads{}, {} key/value heads.", model.name, model.heads,
                       drawn < model.heads ? fmt::format(" ({} drawn)", drawn) : "", model.kv_heads),
           "dim");
  struct Kind {
    const char* name;
    size_t kv_heads, drawn;
  };
  const size_t shown_groups = std::max<size_t>(std::min(drawn, model.heads) / group, 1);
  const size_t shown = std::min(drawn, model.heads);
  const Kind kinds[] = {
      {"Multi-head", model.heads, shown}, {"Grouped-query", model.kv_heads, shown_groups}, {"Multi-query", 1, 1}};
  const double most = cache_bytes(model, model.context, model.heads);
  svg.text(16, 276, fmt::format("Cache of {} positions, in numbers of 2 bytes", model.context), "strong");
  for (size_t i = 0; i < 3; ++i) {
    const auto& [name, kv_heads, kv_drawn] = kinds[i];
    draw_sharing(svg, {16 + 230 * double(i), 86, 208, 0}, shown, kv_drawn, fmt::format("{}: G = {}", name, kv_heads));
    const double bytes = cache_bytes(model, model.context, kv_heads), y = 296 + 48 * double(i);
    svg.text(16, y + 19, fmt::format("G = {}", kv_heads));
    svg.rect({90, y, 480 * bytes / most, 28}, "f0", 0.6, 2);
    svg.text(90 + 480 * bytes / most + 8, y + 19, bytes_text(bytes));
  }
  return svg.finish();
}

}  // namespace cria::figure
