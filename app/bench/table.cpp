#include "app/bench/table.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace cria::bench {
namespace {

std::string number(double value) {
  if (value >= 100) return fmt::format("{:.0f}", value);
  if (value >= 10) return fmt::format("{:.1f}", value);
  return value >= 1 ? fmt::format("{:.2f}", value) : fmt::format("{:.3g}", value);
}

std::string bar(double fraction) {
  constexpr int width = 10;
  const auto filled = static_cast<int>(std::lround(std::clamp(fraction, 0.0, 1.0) * width));
  std::string text;
  for (int i = 0; i < width; ++i) text += i < filled ? "█" : "░";
  return text;
}

}  // namespace

void print_section(const std::string& title, std::span<const Result> results) {
  size_t name_width = 0, shape_width = 0;
  for (const Result& r : results) {
    name_width = std::max(name_width, r.name.size());
    shape_width = std::max(shape_width, r.shape.size());
  }
  const bool colour = ::isatty(STDOUT_FILENO);
  fmt::print("\n{}{}{}\n", colour ? "\x1b[1m" : "", title, colour ? "\x1b[0m" : "");
  for (const Result& r : results) {
    const std::string of_limit =
        r.fraction ? fmt::format("{} {:4.0f} % of {}", bar(*r.fraction), 100 * *r.fraction, r.limited_by) : "";
    fmt::print("  {:<{}}  {:<{}}  {:<5} {:<8} {:>2} {:>8} {:<8} {:<27} spread {:.0f} %\n", r.name, name_width, r.shape,
               shape_width, r.type, r.target, r.threads, number(r.value), r.unit, of_limit, 100 * r.spread);
  }
  std::fflush(stdout);
}

void print_json(std::span<const Result> results) {
  using Json = nlohmann::ordered_json;
  const auto optional = [](const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); };
  Json report = Json::array();
  for (const Result& r : results)
    report.push_back({{"name", r.name},
                      {"shape", r.shape},
                      {"type", r.type},
                      {"target", r.target},
                      {"threads", r.threads},
                      {"value", r.value},
                      {"unit", r.unit},
                      {"limit", optional(r.limit)},
                      {"fraction", optional(r.fraction)},
                      {"spread", r.spread}});
  fmt::print("{}\n", report.dump(2));
}

ProgressLine::ProgressLine(std::string title) : title_(std::move(title)), terminal_(::isatty(STDERR_FILENO)) {}

void ProgressLine::show(const Case& at, double share) const {
  if (terminal_)
    fmt::print(stderr, "\r{} {:3.0f} %  {} {} {}\x1b[K", title_, 100 * share, at.name, at.shape, at.target);
}

void ProgressLine::clear() const {
  if (terminal_) fmt::print(stderr, "\r\x1b[K");
}

}  // namespace cria::bench
