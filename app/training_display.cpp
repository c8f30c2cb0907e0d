#include "app/training_display.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace cria {
namespace {

using namespace std::chrono_literals;

constexpr size_t width = 60;

std::string bar(double share) {
  const auto filled = static_cast<size_t>(std::lround(share * width));
  std::string text;
  for (size_t i = 0; i < width; ++i) text += i < filled ? "█" : "░";
  return text;
}

// The curve in `rows` lines of block characters. Its height is the logarithm of the distance to the floor, so that the
// last tenths show as clearly as the first whole bits.
std::vector<std::string> curve(const std::vector<double>& values, double floor, size_t rows) {
  static constexpr const char* blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  std::vector<std::string> lines(rows);
  if (values.empty()) return lines;
  const auto height = [&](double value) { return std::log(std::max(value - 0.95 * floor, 1e-3)); };
  const double top = height(*std::ranges::max_element(values)), bottom = height(*std::ranges::min_element(values));
  for (size_t x = 0; x < width; ++x) {
    const size_t i = x * values.size() / width;
    const double share = top > bottom ? (height(values[i]) - bottom) / (top - bottom) : 1;
    const auto eighths = static_cast<size_t>(std::lround(share * (8 * double(rows) - 1))) + 1;
    for (size_t row = 0; row < rows; ++row) {
      const size_t below = 8 * (rows - 1 - row);
      lines[row] += blocks[eighths <= below ? 0 : std::min<size_t>(eighths - below, 8)];
    }
  }
  return lines;
}

// A text that is wider than the terminal, in lines that end after a comma. What the terminal breaks by itself would be
// drawn again below itself, as the panel knows only of its own lines.
std::vector<std::string> broken_at_commas(std::string text) {
  winsize size{};
  const size_t columns = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
  std::vector<std::string> lines;
  while (text.size() > columns) {
    const size_t comma = text.rfind(", ", columns - 1);
    if (comma == text.npos) break;
    lines.push_back(text.substr(0, comma + 1));
    text.erase(0, comma + 2);
  }
  lines.push_back(text);
  return lines;
}

}  // namespace

std::string clock_text(double seconds) {
  const auto whole = static_cast<long>(std::max(seconds, 0.0) + 0.5);
  return whole >= 3600 ? fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60)
                       : fmt::format("{}:{:02}", whole / 60, whole % 60);
}

std::string count_text(double count) {
  if (count < 1e3) return fmt::format("{:.0f}", count);
  if (count < 1e6) return fmt::format("{:.1f}K", count / 1e3);
  return count < 1e9 ? fmt::format("{:.1f}M", count / 1e6) : fmt::format("{:.2f}G", count / 1e9);
}

TrainingDisplay::TrainingDisplay(std::string title) : title_(std::move(title)), terminal_(::isatty(STDOUT_FILENO)) {}

TrainingDisplay::~TrainingDisplay() {
  if (terminal_ && lines_ > 0) fmt::print("\n");
}

void TrainingDisplay::show(const Progress& progress) {
  smooth_bits_ = smooth_bits_ == 0 ? progress.bits_per_byte : 0.9 * smooth_bits_ + 0.1 * progress.bits_per_byte;
  if (progress.validation_loss) validation_bits_ = progress.bits_per_byte;
  bits_.push_back(smooth_bits_);
  const auto now = std::chrono::steady_clock::now();
  const bool final = progress.share >= 1;
  const bool due = now - last_ >= (terminal_ ? 100ms : 5000ms);
  if (!due && !final && !(progress.validation_loss && !terminal_)) return;
  last_ = now;
  terminal_ ? show_panel(progress) : show_line(progress);
  std::fflush(stdout);
}

void TrainingDisplay::show_line(const Progress& p) {
  fmt::print("step {:5}  loss {:.4f}  {} {:.4f} bits/byte", p.step, p.loss, p.validation_loss ? "held out" : "batch   ",
             p.bits_per_byte);
  if (p.floor) fmt::print(" ({:.2f} x floor {:.4f})", p.bits_per_byte / *p.floor, *p.floor);
  fmt::print("  {} tokens/s  {} gone\n", count_text(p.tokens_per_second), clock_text(p.seconds));
}

void TrainingDisplay::show_panel(const Progress& p) {
  const double left = p.share > 0 ? p.seconds * (1 - p.share) / p.share : 0;
  std::vector<std::string> lines;
  for (const std::string& line : broken_at_commas(title_)) lines.push_back(fmt::format("\x1b[1m{}\x1b[0m", line));
  lines.push_back("");
  for (const std::string& line : curve(bits_, p.floor.value_or(0), 6))
    lines.push_back(fmt::format("  \x1b[36m{}\x1b[0m", line));
  lines.push_back("");
  lines.push_back(fmt::format("  \x1b[32m{}\x1b[0m {:3.0f} %", bar(p.share), 100 * p.share));
  lines.push_back("");
  lines.push_back(fmt::format("  step {:<8} loss {:<10.4f} bits per byte {:.4f}", p.step, p.loss, smooth_bits_));
  std::string held = validation_bits_ ? fmt::format("held out {:.4f}", *validation_bits_) : "held out -";
  if (p.floor) held += fmt::format("   floor {:.4f}", *p.floor);
  if (p.floor && validation_bits_) held += fmt::format("   ratio \x1b[1m{:.3f}\x1b[0m", *validation_bits_ / *p.floor);
  lines.push_back("  " + held);
  lines.push_back(fmt::format("  {} tokens/s   {} gone, {} left", count_text(p.tokens_per_second),
                              clock_text(p.seconds), clock_text(left)));
  std::string screen = lines_ > 0 ? fmt::format("\x1b[{}A", lines_) : "";
  for (const std::string& line : lines) screen += line + "\x1b[K\n";
  lines_ = lines.size();
  fmt::print("\x1b[?7l{}\x1b[?7h", screen);  // what is still too wide is cut off at the edge
}

}  // namespace cria
