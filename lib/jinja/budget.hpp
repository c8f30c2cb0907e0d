// What a template may cost. Templates come from strangers, so every render is bounded, whatever its template says.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>

namespace cria::jinja {

inline constexpr std::size_t longest_source = 1'000'000;  // bytes
inline constexpr std::size_t longest_text = 16'000'000;   // bytes of the output, and of any text made on the way
inline constexpr std::size_t most_steps = 3'000'000;      // a step: see Budget
inline constexpr std::size_t longest_range = 100'000;     // as in Jinja's sandbox
inline constexpr std::size_t deepest_source = 100;        // expressions in expressions, blocks in blocks
inline constexpr std::size_t deepest_value = 100;         // lists in lists
inline constexpr std::size_t deepest_evaluation = 400;    // calls of macros included

/// What went wrong in a template. The innermost place that knows the line adds it; render() makes a UserError of it.
struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
  std::size_t line = 0;
};

/// Counts down the steps of one render: an expression, a statement, a comparison, 32 bytes made or looked through. So a
/// render makes 96 MB at most, freed or not. Throws Failure when none are left.
class Budget {
 public:
  void step(std::size_t count = 1) {
    if (count > steps_) throw Failure("the template takes too many steps");
    steps_ -= count;
  }
  /// For looking through a text.
  void read(std::size_t bytes) { step(bytes / 32); }
  /// For finding a part in a text: the worst case of a plain search.
  void search(std::size_t text, std::size_t part) { step(text / 8 + text / 256 * part); }
  /// Before memory is taken.
  void make(std::size_t bytes) { step(bytes / 32); }
  /// The same for one text.
  void make_text(std::size_t bytes) {
    if (bytes > longest_text) throw Failure("a text grows beyond " + std::to_string(longest_text) + " bytes");
    make(bytes);
  }

 private:
  std::size_t steps_ = most_steps;
};

}  // namespace cria::jinja
