#include "app/look/training_data.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <utility>

#include "lib/base/check.hpp"
#include "lib/base/file.hpp"
#include "lib/formats/json.hpp"

namespace cria::look {
namespace {

using nlohmann::json;

bool has_number(const json& line, const char* name) { return line.contains(name) && line[name].is_number(); }

/// All numbers of a line of the log but its place and what never changes.
RunLine read_line(const json& line) {
  Figures figures;
  for (const auto& [name, value] : line.items())
    if (value.is_number() && name != "step" && name != "floor") figures[name] = value.get<double>();
  return line_of(line["step"].get<size_t>(), has_number(line, "val_loss"), std::move(figures));
}

}  // namespace

LoggedRun read_run(const std::filesystem::path& file, size_t last_step) {
  std::istringstream lines(read_file(file));
  LoggedRun log;
  size_t number = 0;
  // What stands behind the last step may be half a line, of a process that was killed.
  for (std::string text; log.last.step < last_step && (++number, std::getline(lines, text));) {
    const json line = parse_json(text, fmt::format("{}:{}: this", file.string(), number));
    if (!line.is_object() || !line.contains("step") || !line["step"].is_number_unsigned() ||
        !has_number(line, "bits_per_byte"))
      throw UserError(fmt::format("{}:{}: this is no line of a training log, expected JSON with step and bits_per_byte",
                                  file.string(), number));
    if (line["step"].get<size_t>() > last_step) break;
    if (has_number(line, "floor")) log.floor = line["floor"].get<double>();
    log.last = read_line(line);
    log.lines.add(log.last);
  }
  return log;
}

json training_data(const std::filesystem::path& run) {
  const std::filesystem::path file = std::filesystem::is_directory(run) ? run / "log.jsonl" : run;
  LoggedRun log = read_run(file);
  log.lines.close();
  if (log.lines.lines().size() < 2)
    throw UserError(fmt::format("{}: the log has no two steps, expected a training run", file.string()));
  json lines = json::array();
  for (const RunLine& line : log.lines.lines()) lines.push_back(line_data(line));
  return {{"name", last_name(run)},
          {"floor", log.floor ? json(*log.floor) : json(nullptr)},
          {"steps", log.last.step},
          {"lines", std::move(lines)}};
}

}  // namespace cria::look
