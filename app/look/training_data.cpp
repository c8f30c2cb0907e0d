#include "app/look/training_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "lib/base/check.hpp"
#include "lib/base/file.hpp"
#include "lib/formats/json.hpp"

namespace cria::look {
namespace {

using nlohmann::json;

constexpr size_t most_lines = 1000;

/// The means of some lines: of "step" the last, of "val_loss" what was measured there, and with it the bits per byte.
struct Mean {
  std::map<std::string, std::pair<double, size_t>> sums;
  double step = 0;
  bool measured = false;

  void add(const json& line) {
    step = line["step"].get<double>();
    measured = line.contains("val_loss") && line["val_loss"].is_number();
    for (const char* name : {"seconds", "loss", "bits_per_byte", "val_loss", "lr", "grad_norm"})
      if (line.contains(name) && line[name].is_number())
        sums[name].first += line[name].get<double>(), ++sums[name].second;
  }
  json finish() const {
    json line = {{"step", step}, {"measured", measured}};
    for (const auto& [name, sum] : sums) line[name] = sum.first / double(sum.second);
    return line;
  }
};

}  // namespace

json training_data(const std::filesystem::path& run) {
  const std::filesystem::path file = std::filesystem::is_directory(run) ? run / "log.jsonl" : run;
  const std::string log = read_file(file);
  const size_t count = size_t(std::count(log.begin(), log.end(), '\n'));
  const size_t group = std::max<size_t>((count + most_lines - 1) / most_lines, 1);
  std::istringstream lines(log);
  std::string text;
  json means = json::array(), floor = nullptr;
  Mean mean;
  size_t in_mean = 0, number = 0;
  const auto finish = [&] {
    if (in_mean > 0) means.push_back(mean.finish());
    mean = {}, in_mean = 0;
  };
  while (++number, std::getline(lines, text)) {
    const json line = parse_json(text, fmt::format("{}:{}: this", file.string(), number));
    if (!line.is_object() || !line.contains("step") || !line["step"].is_number() || !line.contains("bits_per_byte") ||
        !line["bits_per_byte"].is_number())
      throw UserError(fmt::format("{}:{}: this is no line of a training log, expected JSON with step and bits_per_byte",
                                  file.string(), number));
    if (line.contains("floor") && line["floor"].is_number()) floor = line["floor"];
    const bool measured = line.contains("val_loss") && line["val_loss"].is_number();
    if (measured) finish();  // what was measured on held-out text is no mean with what a batch gave
    mean.add(line);
    if (++in_mean == group || measured) finish();
  }
  finish();
  if (means.size() < 2)
    throw UserError(fmt::format("{}: the log has no two steps, expected a training run", file.string()));
  return {{"name", last_name(run)}, {"floor", floor}, {"steps", means.back()["step"]}, {"lines", std::move(means)}};
}

}  // namespace cria::look
