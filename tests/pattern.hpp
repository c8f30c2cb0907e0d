// What is wrong with a whole array at once: a factor, a sign, rows in the wrong place.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace cria::testing {

/// "yours is -1 times what is expected", "row n holds what belongs to row n + 1", …, for flat values in row-major
/// order. Empty when no pattern fits, or when too few numbers are not 0 to tell one.
std::string pattern(const std::vector<double>& actual, const std::vector<double>& expected,
                    const std::vector<std::size_t>& shape);

}  // namespace cria::testing
