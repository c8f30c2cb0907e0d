// Logs, as numbers: of a training run (log.jsonl), or of what was measured turn by turn.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace cria::figure {

/// What one step says, by name; what is no number is left out.
using LogLine = std::map<std::string, double>;

/// A line for each step, at least two. Throws UserError with the line's number where one of these names has no number.
std::vector<LogLine> read_log(const std::filesystem::path& file, const std::vector<std::string>& names);

/// What some lines of a log say, by name: a number of each line.
struct LogColumns {
  std::filesystem::path file;
  std::map<std::string, std::vector<double>> columns;

  const std::vector<double>& operator[](const std::string& name) const { return columns.at(name); }
};

/// Of each log that is there, the lines that have all of `names`; logs with fewer than two of them are left out. Throws
/// as read_log(file, always) does.
std::vector<LogColumns> read_columns(const std::vector<std::filesystem::path>& files,
                                     const std::vector<std::string>& names,
                                     const std::vector<std::string>& always = {});

/// Any number of points as at most about so many: means of equally many each. Returns of how many.
size_t thin_out(std::vector<double>& x, std::vector<double>& y, size_t most);

}  // namespace cria::figure
