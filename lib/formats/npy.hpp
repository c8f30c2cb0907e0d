// .npy files: NumPy's format for one array (numpy.org, "NEP 1").
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "lib/base/view.hpp"

namespace cria {

/// Any real or integer array as double, in row-major order.
struct NpyArray {
  std::vector<size_t> shape;
  std::vector<double> values;
};

/// Throws UserError naming the file when it is missing, damaged, or of a type that holds no plain numbers.
NpyArray read_npy(const std::filesystem::path& path);

/// Writes a contiguous view in its own type; the file appears whole or not at all.
template <class T, size_t N>
void write_npy(const std::filesystem::path& path, View<const T, N> values);

}  // namespace cria
