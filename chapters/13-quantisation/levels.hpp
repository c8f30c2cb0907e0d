// The numbers that the codes of a type stand for, before a scale multiplies them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace cria {

/// Whole numbers in rising order; a code is the place of one. Evenly spaced (-8 … 7 of Q4_0, where code 3 stands for
/// -5), or those of a table (IQ4_NL), a power of two of them.
class Levels {
 public:
  constexpr Levels(int lowest, int highest) : lowest_(lowest), count_(highest - lowest + 1) {}
  constexpr explicit Levels(std::span<const std::int8_t> table)
      : lowest_(table.front()), count_(static_cast<int>(table.size())), table_(table.data()) {}

  int count() const { return count_; }
  int front() const { return lowest_; }
  int back() const { return (*this)[count_ - 1]; }
  int operator[](int code) const { return table_ ? table_[code] : lowest_ + code; }

  /// The code of the level that is nearest to a finite value; beyond the ends the first or the last.
  int nearest(float value) const {
    if (!table_)
      return static_cast<int>(std::clamp(value - static_cast<float>(lowest_), 0.0f, static_cast<float>(count_ - 1)) +
                              0.5f);
    int code = 0;  // beyond the middle of the table, of the half that is left, of the quarter …
    for (int step = count_ / 2; step > 0; step /= 2)
      if (2 * value > static_cast<float>(table_[code + step - 1] + table_[code + step])) code += step;
    return code;
  }

 private:
  int lowest_, count_;
  const std::int8_t* table_ = nullptr;
};

}  // namespace cria
