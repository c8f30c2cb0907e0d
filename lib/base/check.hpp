// The two ways in which things go wrong, and the checks that say so.
//
// UserError: bad input (a file, an option). The program prints its one line and ends with exit code 2.
// ContractError: code that calls a component wrongly, for example with shapes that do not fit.
#pragma once

#include <span>
#include <stdexcept>
#include <string>

#include "lib/base/view.hpp"

namespace cria {

struct UserError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct ContractError : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

/// "(2, 3)"
std::string shape_text(std::span<const size_t> shape);

/// Throws a ContractError "<what>: <message>" unless the condition holds.
void require(bool condition, const char* what, const char* message);

/// Throws a ContractError that prints both shapes unless they are equal, e.g.
/// "rmsnorm_forward: weight has shape (3), expected (4)".
void require_shape(const char* what, std::span<const size_t> shape, std::span<const size_t> expected);

template <class T, size_t N>
void require_shape(const char* what, const View<T, N>& view, const Shape<N>& expected) {
  require_shape(what, std::span<const size_t>(view.shape()), std::span<const size_t>(expected));
}

}  // namespace cria
