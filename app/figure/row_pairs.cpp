// Chapter 12: the rows of one head's query weight in the two orders of RoPE's pairs.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/figure/figures.hpp"
#include "app/figure/subject.hpp"
#include "app/figure/svg.hpp"

namespace cria::figure {

std::string draw_row_pairs(const Subject& subject) {
  const LlamaConfig& c = subject.config();
  const size_t D = c.head_dim, pairs = D / 2;
  const View<const real, 2> weight = subject.model.weights.tensors().layers[0].query.rows(0, D);
  std::vector<real> stored(weight.size());
  const View<real, 2> interleaved(stored.data(), weight.shape());
  rope_permute_rows(weight, D, RopePairing::half_split, interleaved);
  const real most = *std::ranges::max_element(stored, {}, [](real w) { return std::abs(w); });

  Svg svg(
      700, 452, "The same rows in two orders",
      "The rows of one head's query weight. At the left, as Meta's files, GGUF and llama2.c hold them, the two rows "
      "of a pair are neighbours. At the right, as in Hugging Face's files, all first rows come before all second "
      "ones. Lines join the same rows.");
  svg.text(16, 48, fmt::format("Query weight of head 0 in layer 0: {} rows of {}, {} pairs.", D, c.dim, pairs), "dim");
  const Box left{104, 112, 170, 320}, right{426, 112, 170, 320};
  const auto values = [&](const View<const real, 2>& w) {
    return [&w, most](size_t row, size_t column) { return double(w(row, column)) / double(most); };
  };
  const View<const real, 2> from(interleaved);
  svg.heat_map(left, D, c.dim, values(from));
  svg.heat_map(right, D, c.dim, values(weight));
  svg.text(left.middle_x(), 84, "Meta, GGUF, llama2.c", "strong m");
  svg.text(left.middle_x(), 101, "pair i: rows 2i, 2i + 1", "small dim m");
  svg.text(right.middle_x(), 84, "Hugging Face, cria", "strong m");
  svg.text(right.middle_x(), 101, fmt::format("pair i: rows i, i + {}", pairs), "small dim m");

  const double pitch = left.height / double(D);
  const auto middle = [&](size_t row) { return left.y + pitch * (double(row) + 0.5); };
  for (size_t i = 0; i < pairs; ++i)
    for (size_t part = 0; part < 2; ++part) {
      const bool named = i < 2 || i == pairs - 1;
      const double from_y = middle(2 * i + part), to_y = middle(i + part * pairs);
      const std::string colour = part == 0 ? "0" : "1";
      svg.line({left.right() + 3, from_y}, {right.x - 3, to_y}, fmt::format("{} s{}", named ? "line" : "thin", colour));
      // Rows are lower than letters are high: neighbours that are named stand side by side.
      const std::string name = fmt::format("{}{}", part == 0 ? "a" : "b", i);
      if (named) svg.text(left.x - (part == 0 ? 40 : 8), from_y + 4, name, fmt::format("small e n{}", colour));
      if (named) svg.text(right.right() + (i % 2 == 0 ? 8 : 40), to_y + 4, name, fmt::format("small n{}", colour));
    }
  return svg.finish();
}

}  // namespace cria::figure
