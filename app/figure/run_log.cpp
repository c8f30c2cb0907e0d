#include "app/figure/run_log.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "lib/base/check.hpp"
#include "lib/base/file.hpp"
#include "lib/formats/json.hpp"

namespace cria::figure {

std::vector<LogLine> read_log(const std::filesystem::path& file, const std::vector<std::string>& names) {
  std::vector<LogLine> log;
  std::istringstream lines(read_file(file));
  std::string text;
  for (size_t number = 1; std::getline(lines, text); ++number) {
    const auto json = parse_json(text, fmt::format("{}:{}: this", file.string(), number));
    LogLine& line = log.emplace_back();
    if (json.is_object())
      for (const auto& [name, value] : json.items())
        if (value.is_number()) line[name] = value.get<double>();
    if (!std::ranges::all_of(names, [&](const std::string& name) { return line.contains(name); }))
      throw UserError(fmt::format("{}:{}: this is no line of a training log, expected JSON with {}", file.string(),
                                  number, fmt::join(names, " and ")));
  }
  if (log.size() < 2)
    throw UserError(fmt::format("{}: the log has no two steps, expected a training run", file.string()));
  return log;
}

std::vector<LogColumns> read_columns(const std::vector<std::filesystem::path>& files,
                                     const std::vector<std::string>& names, const std::vector<std::string>& always) {
  std::vector<LogColumns> logs;
  for (const std::filesystem::path& file : files) {
    if (!std::filesystem::exists(file)) continue;
    LogColumns log{file, {}};
    size_t lines = 0;
    for (const LogLine& line : read_log(file, always)) {
      if (!std::ranges::all_of(names, [&](const std::string& name) { return line.contains(name); })) continue;
      for (const std::string& name : names) log.columns[name].push_back(line.at(name));
      ++lines;
    }
    if (lines >= 2) logs.push_back(std::move(log));
  }
  return logs;
}

size_t thin_out(std::vector<double>& x, std::vector<double>& y, size_t most) {
  const size_t group = (x.size() + most - 1) / most;
  if (group < 2) return 1;
  size_t to = 0;
  for (size_t begin = 0; begin < x.size(); begin += group, ++to) {
    const size_t end = std::min(begin + group, x.size());
    double sum_x = 0, sum_y = 0;
    for (size_t i = begin; i < end; ++i) sum_x += x[i], sum_y += y[i];
    x[to] = sum_x / double(end - begin), y[to] = sum_y / double(end - begin);
  }
  x.resize(to), y.resize(to);
  return group;
}

}  // namespace cria::figure
