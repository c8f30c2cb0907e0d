// Chapter 04: pairs of channels turning with the position, and what becomes of q·k as the two move apart.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "app/figure/axes.hpp"
#include "app/figure/figures.hpp"
#include "app/figure/subject.hpp"
#include "chapters/04-rope/rope.hpp"

namespace cria::figure {
namespace {

/// Places one head's vector at the given positions: (N, Dh).
std::vector<real> at_positions(std::span<const real> head, std::span<const std::int32_t> positions, double theta,
                               RopePairing pairing) {
  const size_t D = head.size(), N = positions.size();
  std::vector<double> frequencies(D / 2);
  std::vector<real> cosine(N * D / 2), sine(N * D / 2), turned;
  for (size_t n = 0; n < N; ++n) turned.insert(turned.end(), head.begin(), head.end());
  const RopeAngles angles{{cosine.data(), {N, D / 2}}, {sine.data(), {N, D / 2}}};
  rope_inverse_frequencies(theta, frequencies);
  rope_angles(positions, frequencies, angles);
  rope_forward(View<real, 3>(turned.data(), {N, 1, D}), angles, pairing);
  return turned;
}

std::vector<std::int32_t> count_to(size_t n) {
  std::vector<std::int32_t> positions(n);
  for (size_t i = 0; i < n; ++i) positions[i] = std::int32_t(i);
  return positions;
}

/// q at every distance from a key at position 0: Σ q·k / √Dh.
std::vector<double> scores(std::span<const real> query, std::span<const real> key, size_t distances, double theta,
                           RopePairing pairing) {
  const std::vector<std::int32_t> positions = count_to(distances);
  const std::vector<real> turned = at_positions(query, positions, theta, pairing);
  std::vector<double> scores(distances);
  for (size_t n = 0; n < distances; ++n) {
    for (size_t d = 0; d < key.size(); ++d) scores[n] += double(turned[n * key.size() + d]) * key[d];
    scores[n] /= std::sqrt(double(key.size()));
  }
  return scores;
}

struct Line {
  std::string name;
  std::vector<double> y;  // over the distances 0, 1, 2, …
};

size_t window_of(size_t distances) { return std::max<size_t>(distances / 16, 1); }

/// Each line thin as it is, and thick as a running mean, with its name at its end.
void draw_lines(Svg& svg, const Box& box, const std::vector<Line>& lines, const Axes::Labels& labels) {
  const size_t distances = lines[0].y.size(), window = window_of(distances);
  std::vector<double> all, x(distances), middles;
  for (const Line& line : lines) all.insert(all.end(), line.y.begin(), line.y.end());
  for (size_t n = 0; n < distances; ++n) x[n] = double(n);
  for (size_t n = 0; n + window <= distances; n += 4) middles.push_back(double(n) + double(window - 1) / 2);
  Axes axes(svg, box, {0, double(distances)}, Scale::of(all, true));
  axes.draw(labels);
  std::vector<double> heights;
  for (size_t i = 0; i < lines.size(); ++i) {
    std::vector<double> means;
    for (size_t n = 0; n + window <= distances; n += 4)
      means.push_back(std::accumulate(&lines[i].y[n], &lines[i].y[n] + window, 0.0) / double(window));
    axes.curve(x, lines[i].y, fmt::format("thin s{}", i % 6), 0.35);
    axes.curve(middles, means, fmt::format("line s{}", i % 6));
    heights.push_back(axes.at(0, means.back()).y);
  }
  heights = spread(heights, 16, box.y, box.bottom());
  for (size_t i = 0; i < lines.size(); ++i)
    svg.text(box.right() + 8, heights[i] + 4, lines[i].name, fmt::format("small n{}", i % 6));
}

struct Pair {
  size_t a, b;
};
Pair channels_of(size_t i, size_t D, RopePairing pairing) {
  return pairing == RopePairing::half_split ? Pair{i, i + D / 2} : Pair{2 * i, 2 * i + 1};
}

}  // namespace

std::string draw_rope_rotation(const Subject& subject) {
  const LlamaConfig& c = subject.config();
  const size_t D = c.head_dim;
  constexpr size_t positions = 8;
  const Subject::QueryKey vectors = subject.before_rope(0);
  // The longest token is a word, and no full stop.
  size_t word = 0;
  for (size_t t = 1; t < subject.tokens.size(); ++t)
    if (subject.label(subject.tokens[t]).size() > subject.label(subject.tokens[word], 20).size()) word = t;
  const std::span<const real> query = std::span(vectors.query).subspan(word * c.heads * D, D);
  const std::vector<real> turned = at_positions(query, count_to(positions), c.rope_theta, c.rope_pairing);
  std::vector<double> frequencies(D / 2);
  rope_inverse_frequencies(c.rope_theta, frequencies);

  Svg svg(700, 316, "RoPE turns each pair of channels with the position",
          "The same query at positions 0 to 7. The first pair turns fastest, the last hardly at all.");
  svg.text(16, 48,
           fmt::format("The query of \"{}\" in head 0 of layer 0, put at positions 0 (thick) to {}.",
                       subject.label(subject.tokens[word], 20), positions - 1),
           "dim");
  // Pairs that turn slower and slower; evenly spaced ones would show the first only as more than standing still.
  std::vector<size_t> pairs;
  for (const size_t i : {size_t{0}, D / 16, D / 8, D / 2 - 1})
    if (pairs.empty() || i > pairs.back()) pairs.push_back(i);
  const double pitch = 668 / double(pairs.size()), radius = std::min(70.0, pitch / 2 - 12);
  for (size_t p = 0; p < pairs.size(); ++p) {
    const auto [a, b] = channels_of(pairs[p], D, c.rope_pairing);
    const Point centre{16 + pitch * (double(p) + 0.5), 158};
    const double length = std::hypot(double(query[a]), double(query[b]));
    svg.circle(centre, radius, "axis");
    svg.line({centre.x - radius, centre.y}, {centre.x + radius, centre.y}, "grid");
    svg.line({centre.x, centre.y - radius}, {centre.x, centre.y + radius}, "grid");
    for (size_t n = positions; n-- > 0;) {
      const double x = double(turned[n * D + a]) / length, y = double(turned[n * D + b]) / length;
      svg.arrow(centre, {centre.x + radius * x, centre.y - radius * y}, n == 0 ? "line s1" : "thin s0",
                n == 0 ? 1 : 1 - 0.1 * double(n));
    }
    svg.text(centre.x, 256, fmt::format("pair {}", pairs[p]), "strong m");
    svg.text(centre.x, 275, fmt::format("channels {} and {}", a, b), "small m");
    const double turn = frequencies[pairs[p]];
    svg.text(centre.x, 293,
             fmt::format("{} rad a position", turn < 0.001 ? fmt::format("{:.6f}", turn) : fmt::format("{:.3g}", turn)),
             "small dim m");
    svg.text(centre.x, 308, fmt::format("once round in {:.0f}", 2 * std::numbers::pi / turn), "small dim m");
  }
  return svg.finish();
}

std::string draw_rope_decay(const Subject& subject) {
  const LlamaConfig& c = subject.config();
  const size_t D = c.head_dim, T = subject.tokens.size(), distances = std::min<size_t>(c.context, 512);
  std::vector<Line> bases, heads;
  const std::vector<real> ones(D, 1);
  std::vector<double> thetas = {c.rope_theta};
  for (const double theta : {100.0, 10000.0, 500000.0})
    if (theta != c.rope_theta) thetas.push_back(theta);
  for (const double theta : thetas) {
    bases.push_back({fmt::format("theta {:g}", theta), scores(ones, ones, distances, theta, c.rope_pairing)});
    const double most = bases.back().y.front();
    for (double& y : bases.back().y) y /= most;
  }
  const size_t layer = c.layers / 2;
  const Subject::QueryKey vectors = subject.before_rope(layer);
  for (const size_t h : choose(c.heads, 5)) {
    Line line{fmt::format("head {}", h), std::vector<double>(distances)};
    for (size_t t = 0; t < T; ++t) {
      const size_t group = h / (c.heads / c.kv_heads);
      const std::vector<double> of_token = scores(std::span(vectors.query).subspan((t * c.heads + h) * D, D),
                                                  std::span(vectors.key).subspan((t * c.kv_heads + group) * D, D),
                                                  distances, c.rope_theta, c.rope_pairing);
      for (size_t n = 0; n < distances; ++n) line.y[n] += of_token[n] / double(T);
    }
    heads.push_back(std::move(line));
  }

  Svg svg(700, 592, "RoPE: q·k depends on the distance",
          "Above, the product of two equal vectors for several theta. Below, the products of this model's queries and "
          "keys, moved apart.");
  svg.text(16, 48,
           fmt::format("Heads of width {}. Thin: at each distance; thick: the mean of {} distances.", D,
                       window_of(distances)),
           "dim");
  draw_lines(svg, {52, 100, 520, 180}, bases,
             {.title = "The same vector at both ends, all pairs of equal length",
              .x = "distance in tokens",
              .y = "q·k, as a share of distance 0"});
  draw_lines(svg, {52, 366, 520, 180}, heads,
             {.title = fmt::format("Each token's query and key in layer {}, moved apart", layer),
              .x = "distance in tokens",
              .y = "q·k / √Dh, mean over this text"});
  return svg.finish();
}

}  // namespace cria::figure
