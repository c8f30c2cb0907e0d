// The two ways in which things go wrong, and the checks that say so.
//
// UserError: bad input (a file, an option). The program prints its one line and ends with exit code 2.
// ContractError: code that calls a component wrongly, for example with shapes that do not fit.
#pragma once

#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "lib/base/view.hpp"

namespace cria {

struct UserError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct ContractError : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

/// "(2, 3)"; of more than 8 axes the first 8 and how many there are.
std::string shape_text(std::span<const size_t> shape);

/// Text from a file or a user for a message of one line: in quotes, with escapes for all that is not visible or not
/// UTF-8, and cut after about 80 bytes.
std::string in_quotes(std::string_view text);

/// Any message as one line: what is not visible or not UTF-8 is escaped, and what would be too long for a terminal cut.
std::string one_line(std::string_view message);

// What throws stands apart: a token of a small model takes hundreds of these checks, which are no calls then.
[[noreturn]] void fail(const char* what, const char* message);
[[noreturn]] void fail_shape(const char* what, std::span<const size_t> shape, std::span<const size_t> expected);

/// Throws a ContractError "<what>: <message>" unless the condition holds.
inline void require(bool condition, const char* what, const char* message) {
  if (!condition) [[unlikely]]
    fail(what, message);
}

/// Throws a ContractError that prints both shapes unless they are equal, e.g.
/// "rmsnorm_forward: weight has shape (3), expected (4)".
template <class T, size_t N>
void require_shape(const char* what, const View<T, N>& view, const Shape<N>& expected) {
  if (view.shape() != expected) [[unlikely]]
    fail_shape(what, view.shape(), expected);
}

}  // namespace cria
