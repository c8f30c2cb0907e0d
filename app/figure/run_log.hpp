// The log of a training run (log.jsonl), as numbers.
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

/// Any number of points as at most about so many: means of equally many each. Returns of how many.
size_t thin_out(std::vector<double>& x, std::vector<double>& y, size_t most);

}  // namespace cria::figure
