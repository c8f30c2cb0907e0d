// Svg: writes a drawing with a style sheet that follows the reader's light or dark setting.
//
// A drawing paints its own ground, so it is legible on a page of either colour. Numbers have fixed decimals: the same
// input gives the same bytes. Left out: scripts, fonts of its own, and everything that no figure needs.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "lib/base/view.hpp"

namespace cria::figure {

struct Point {
  double x, y;
};

/// In pixels, y downwards.
struct Box {
  double x, y, width, height;

  double right() const { return x + width; }
  double bottom() const { return y + height; }
  double middle_x() const { return x + width / 2; }
  double middle_y() const { return y + height / 2; }
};

/// What an element looks like is told by classes of the style sheet, several separated by spaces:
///   text    title, small, tiny, dim, strong, mono; m and e: centred at x, or ending there; n0 … n5: in a colour
///   strokes line (thick), thin, dot, axis, grid, dashed; s0 … s5: in a colour, ink: as text
///   fills   f0 … f5: a colour, box: a quiet ground with a border, page: the ground itself
class Svg {
 public:
  /// `title` stands at the top; screen readers get it with `shows`, a sentence.
  Svg(double width, double height, std::string_view title, std::string_view shows);

  void text(double x, double y, std::string_view text, std::string_view classes = "");
  /// Reads upwards and ends at (x, y).
  void text_upwards(double x, double y, std::string_view text, std::string_view classes = "");
  void rect(const Box& box, std::string_view classes, double opacity = 1, double radius = 0);
  void line(Point from, Point to, std::string_view classes);
  /// With a head at its end; `classes` needs a colour s0 … s5 or axis.
  void arrow(Point from, Point to, std::string_view classes, double opacity = 1);
  void curve(std::span<const Point> points, std::string_view classes, double opacity = 1);
  void polygon(std::span<const Point> points, std::string_view classes, double opacity = 1);
  void circle(Point centre, double radius, std::string_view classes, double opacity = 1);
  /// Many points of one kind as one element.
  void dots(std::span<const Point> points, std::string_view classes, double opacity = 1);
  /// rows x columns cells, row 0 at the top; value gives -1 … 1. Positive cells get more of colour 0, negative ones
  /// more of colour 1. Equal neighbours are one shape: 24 shades are as many as the eye tells apart.
  void heat_map(const Box& box, size_t rows, size_t columns, const std::function<double(size_t, size_t)>& value);

  double width() const { return width_; }
  std::string finish() const;

 private:
  void shape(std::string_view element, std::string_view classes, double opacity);

  double width_, height_;
  std::string head_, body_;
};

/// About how wide a text is in pixels, at 13 px unless told otherwise; generous, as fonts differ.
double text_width(std::string_view text, double size = 13);
double mono_width(std::string_view text, double size = 13);

/// Bytes as they may stand in XML: what is not UTF-8, or is a control character, becomes \xNN; newlines become ⏎.
std::string printable(std::string_view bytes);

/// At most so many columns of a monospaced font, with … for what is cut off.
std::string shortened(std::string_view text, size_t columns);

/// "1.5 KiB", "12 GiB"
std::string bytes_text(double bytes);

}  // namespace cria::figure
