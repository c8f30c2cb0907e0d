// The parts of a panel in a terminal, made for the size that it has: lines of words, a bar, a curve with its axes.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace cria {

/// In character cells.
struct TerminalSize {
  size_t columns = 80, rows = 24;
};

/// Of standard output; 80 by 24 where it does not say.
TerminalSize terminal_size();

/// Whether standard output is a terminal that can go back and draw over what it shows: not with TERM=dumb.
bool can_redraw();

/// Whether to colour what such a terminal shows: https://no-color.org.
bool wants_colours();

/// The words, `gap` between each two, in as few lines as `columns` allow. A word is never broken; one that is too long
/// for a line has it to itself.
std::vector<std::string> flow(const std::vector<std::string>& words, const std::string& gap, size_t columns);

/// A bar of `columns` cells, this share of it full.
std::string bar(double share, size_t columns);

/// A curve of block characters with its axes, `columns` wide and `rows` high in all, at least 24 by 3: its top and
/// bottom have their values at the left, and step 1 and the last step stand below. With a floor, that is the bottom
/// line, and heights are logarithms of the distance to it, so that the last tenths show as clearly as the first whole
/// bits.
std::vector<std::string> curve(const std::vector<double>& values, std::optional<double> floor, size_t last_step,
                               size_t columns, size_t rows);

}  // namespace cria
