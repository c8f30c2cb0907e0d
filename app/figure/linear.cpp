// Chapter 02: the product of forward and the two of backward, drawn to the scale of the model's own shapes.
#include <fmt/format.h>

#include <cmath>

#include "app/figure/figures.hpp"
#include "app/figure/subject.hpp"
#include "app/figure/svg.hpp"

namespace cria::figure {
namespace {

struct Side {
  std::string letter;
  size_t extent;
};
struct Matrix {
  std::string name;
  Side rows, columns;
  const char* colour;
};

/// Sides grow as the root of what they stand for, so that 8 rows and 14336 columns fit one page.
double length_of(size_t extent, size_t largest) { return 13 + 90 * std::sqrt(double(extent) / double(largest)); }

void draw(Svg& svg, const Matrix& m, double x, double middle, size_t largest, bool row_marked, bool column_marked) {
  const double width = length_of(m.columns.extent, largest), height = length_of(m.rows.extent, largest);
  const Box box{x, middle - height / 2, width, height};
  svg.rect(box, m.colour, 0.25);
  if (row_marked) svg.rect({x, box.y + height * 0.4, width, 4}, m.colour);
  if (column_marked) svg.rect({x + width * 0.4, box.y, 4, height}, m.colour);
  if (!row_marked && !column_marked) svg.rect({x + width * 0.4, box.y + height * 0.4, 4, 4}, m.colour);
  svg.text(box.middle_x(), box.y - 24, m.name, "strong m");
  svg.text(box.middle_x(), box.y - 8, fmt::format("({}, {})", m.rows.letter, m.columns.letter), "small dim m");
}

}  // namespace

std::string draw_linear(const Subject& subject) {
  const LlamaConfig& c = subject.config();
  const Side N{"N", subject.tokens.size()}, K{"K", c.dim}, M{"M", c.hidden_dim};
  const size_t largest = std::max({N.extent, K.extent, M.extent});
  const Matrix x{"x", N, K, "f0"}, w_turned{"Wᵀ", K, M, "f1"}, w{"W", M, K, "f1"}, y{"y", N, M, "f2"};
  const Matrix d_y{"d_y", N, M, "f3"}, d_y_turned{"d_yᵀ", M, N, "f3"}, d_x{"d_x", N, K, "f4"}, d_w{"d_W", M, K, "f5"};
  struct Product {
    const char *title, *sense;
    const Matrix &left, &right, &result;
  };
  const Product products[] = {
      {"forward: y = x Wᵀ", "A row of x, a row of W: one number of y.", x, w_turned, y},
      {"backward: d_x += d_y W", "What each input did to all M outputs of its row.", d_y, w, d_x},
      {"backward: d_W += d_yᵀ x", "What each weight did in all N rows.", d_y_turned, x, d_w},
  };
  constexpr double row = 166;
  Svg svg(700, 84 + 3 * row, "The three matrix products of a linear layer",
          "Forward multiplies x by W transposed; backward needs two products of the same cost.");
  svg.text(16, 48,
           fmt::format("The gate projection of this model over this text: N = {} tokens, K = {}, M = {}.", N.extent,
                       K.extent, M.extent),
           "dim");
  svg.text(16, 66,
           fmt::format("Each product takes 2·N·K·M = {:.3g} million operations.",
                       2e-6 * double(N.extent) * double(K.extent) * double(M.extent)),
           "dim");
  double y0 = 80;
  for (const auto& [title, sense, left, right, result] : products) {
    svg.text(16, y0 + 84, title, "strong");
    svg.text(16, y0 + 104, sense, "small dim");
    const double middle = y0 + 96;
    double at = 318;
    const auto next = [&](const Matrix& m, bool marked_row, bool marked_column, const char* sign) {
      draw(svg, m, at, middle, largest, marked_row, marked_column);
      at += length_of(m.columns.extent, largest);
      if (*sign) svg.text(at + 12, middle + 5, sign, "m");
      at += 24;
    };
    next(left, true, false, "×"), next(right, false, true, "="), next(result, false, false, "");
    y0 += row;
  }
  return svg.finish();
}

}  // namespace cria::figure
