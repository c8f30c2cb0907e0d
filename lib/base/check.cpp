#include "lib/base/check.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace cria {

std::string shape_text(std::span<const size_t> shape) { return fmt::format("({})", fmt::join(shape, ", ")); }

void require(bool condition, const char* what, const char* message) {
  if (!condition) throw ContractError(fmt::format("{}: {}", what, message));
}

void require_shape(const char* what, std::span<const size_t> shape, std::span<const size_t> expected) {
  if (!std::ranges::equal(shape, expected))
    throw ContractError(fmt::format("{} has shape {}, expected {}", what, shape_text(shape), shape_text(expected)));
}

}  // namespace cria
