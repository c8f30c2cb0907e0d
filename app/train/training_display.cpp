#include "app/train/training_display.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "app/output.hpp"
#include "app/quantities.hpp"
#include "lib/base/check.hpp"

namespace cria {
namespace {

using namespace std::chrono_literals;

// The title's parts, each with its comma.
std::vector<std::string> at_commas(const std::string& title) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin < title.size();) {
    const size_t comma = std::min(title.find(", ", begin), title.size());
    parts.push_back(title.substr(begin, comma + 1 - begin));
    begin = comma + 2;
  }
  return parts;
}

}  // namespace

std::string clock_text(double seconds) {
  const auto whole = static_cast<long>(std::max(seconds, 0.0) + 0.5);
  return whole >= 3600 ? fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60)
                       : fmt::format("{}:{:02}", whole / 60, whole % 60);
}

TrainingDisplay::TrainingDisplay(std::string title, bool shows)
    : title_(std::move(title)), shows_(shows), terminal_(can_redraw()), colours_(wants_colours()) {
  if (shows_ && !terminal_) put(title_ + "\n");
}

void TrainingDisplay::put(const std::string& text) {
  try {
    print_bytes(text);
    flush_output();
  } catch (const UserError& error) {
    shows_ = false;
    discard_output();
    warn(fmt::format("{}; the run goes on", error.what()));
  }
}

void TrainingDisplay::warn(const std::string& message) {
  std::fputs(fmt::format("cria: {}\n", message).c_str(), stderr);  // if that fails too, nobody is there to be told
  lines_ = 0;                                                      // the panel goes on below
}

void TrainingDisplay::show(const Progress& progress) {
  of_text_ = progress.bits_per_byte > 0;
  const double value = of_text_ ? progress.bits_per_byte : progress.loss;
  smooth_bits_ = bits_.empty() ? value : 0.9 * smooth_bits_ + 0.1 * value;
  if (progress.validation_loss) validation_bits_ = of_text_ ? progress.bits_per_byte : *progress.validation_loss;
  bits_.push_back(smooth_bits_);
  progress_ = progress;
  shown_ = false;
  const bool due = std::chrono::steady_clock::now() - last_ >= (terminal_ ? 100ms : 5000ms);
  if (due || (progress.validation_loss && !terminal_)) terminal_ ? show_panel() : show_line();
}

void TrainingDisplay::end() {
  if (progress_ && !shown_) terminal_ ? show_panel() : show_line();
  if (terminal_ && lines_ > 0 && shows_) put("\n");
}

void TrainingDisplay::show_line() {
  const Progress& p = *progress_;
  last_ = std::chrono::steady_clock::now();
  shown_ = true;
  if (!shows_) return;
  std::string line = fmt::format("step {:5}  loss {:.4f}", p.step, p.loss);
  if (of_text_)
    line += fmt::format("  {} {:.4f} bits/byte", p.validation_loss ? "held out" : "batch   ", p.bits_per_byte);
  for (const std::string& figure : figures()) line += "  " + figure;
  if (p.floor) line += fmt::format(" ({:.2f} x floor {:.4f})", p.bits_per_byte / *p.floor, *p.floor);
  put(line + fmt::format("  {} tokens/s  {} elapsed\n", count_text(p.tokens_per_second), clock_text(p.seconds)));
}

std::vector<std::string> TrainingDisplay::figures() const {
  std::vector<std::string> texts;
  for (const auto& [name, value] : progress_->figures) texts.push_back(fmt::format("{} {:.3g}", name, value));
  return texts;
}

// What there is no room for is left out, the curve first; the line that the cursor is in counts, too.
void TrainingDisplay::show_panel() {
  const Progress& p = *progress_;
  last_ = std::chrono::steady_clock::now();
  shown_ = true;
  if (!shows_) return;
  const auto colour = [&](const char* code, const std::string& text) {
    return colours_ ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : text;
  };
  const TerminalSize size = terminal_size();
  const size_t columns = std::max<size_t>(size.columns, 20) - 2, rows = std::max<size_t>(size.rows, 4) - 1;

  std::vector<std::string> figures = {fmt::format("step {}", p.step), fmt::format("loss {:.4f}", p.loss),
                                      fmt::format("bits per byte {:.4f}", smooth_bits_)};
  if (!of_text_) figures.pop_back();
  for (const std::string& figure : this->figures()) figures.push_back(figure);
  if (validation_bits_) figures.push_back(fmt::format("held out {:.4f}", *validation_bits_));
  if (p.floor) figures.push_back(fmt::format("floor {:.4f}", *p.floor));
  if (p.floor && validation_bits_) figures.push_back(fmt::format("ratio {:.3f}", *validation_bits_ / *p.floor));
  figures.push_back(fmt::format("{} tokens/s", count_text(p.tokens_per_second)));
  figures.push_back(fmt::format("{} elapsed", clock_text(p.seconds)));
  if (p.share > 0) figures.push_back(fmt::format("{} remaining", clock_text(p.seconds * (1 - p.share) / p.share)));

  const std::vector<std::string> title = flow(at_commas(title_), " ", columns + 2),
                                 words = flow(figures, "   ", columns);
  const size_t needed = title.size() + 1 + words.size();
  const bool loose = rows >= needed + 3 + 6;  // room for blank lines and a curve of 4
  const size_t room = rows - std::min(rows, needed + (loose ? 3 : 0));
  std::vector<std::string> lines;
  for (const std::string& line : title) lines.push_back(colour("1", line));
  if (loose) lines.push_back("");
  if (room >= 4 && columns >= 30)
    for (const std::string& line :
         curve(bits_, p.floor, p.step, columns, std::min(room, std::max<size_t>(10, rows / 2))))
      lines.push_back("  " + colour("36", line));
  if (loose) lines.push_back("");
  lines.push_back(fmt::format("  {} {:3.0f} %", colour("32", bar(p.share, columns - 6)), 100 * p.share));
  if (loose) lines.push_back("");
  for (const std::string& line : words) lines.push_back("  " + line);
  if (lines.size() > rows) lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(rows));

  std::string screen = lines_ > 0 ? fmt::format("\x1b[{}A", lines_) : "";
  for (const std::string& line : lines) screen += "\x1b[K" + line + "\n";
  lines_ = lines.size();
  put(fmt::format("\x1b[?7l{}\x1b[J\x1b[?7h", screen));  // what is still too wide is cut off at the edge
}

}  // namespace cria
