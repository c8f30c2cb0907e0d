// .npy files: NumPy's format for one array (numpy.lib.format, "NEP 1"), of plain numbers only: no records, no complex
// numbers, no text, no pickled objects.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "lib/base/check.hpp"
#include "lib/base/view.hpp"

namespace cria {

/// Any real or integer array as double, in row-major order. Integers beyond 2^53 are rounded.
struct NpyArray {
  std::vector<size_t> shape;
  std::vector<double> values;
};

/// Throws UserError naming the file when it is missing, damaged, or of a type that holds no plain numbers.
NpyArray read_npy(const std::filesystem::path& path);

/// Writes row-major bytes of the type that NumPy calls `type`, e.g. "<f4"; the file appears whole or not at all.
void write_npy(const std::filesystem::path& path, std::string_view type, std::span<const size_t> shape,
               std::span<const std::byte> bytes);

/// Writes a contiguous view in its own type: float, double, std::int32_t, std::int64_t or std::uint8_t.
template <class T, size_t N>
void write_npy(const std::filesystem::path& path, View<T, N> values) {
  using Value = std::remove_const_t<T>;
  constexpr const char* type = std::is_same_v<Value, float>          ? "<f4"
                               : std::is_same_v<Value, double>       ? "<f8"
                               : std::is_same_v<Value, std::int32_t> ? "<i4"
                               : std::is_same_v<Value, std::int64_t> ? "<i8"
                               : std::is_same_v<Value, std::uint8_t> ? "|u1"
                                                                     : nullptr;
  static_assert(type != nullptr, "write_npy knows float, double, int32, int64 and uint8");
  require(values.contiguous(), "write_npy", "the view must be contiguous");
  write_npy(path, type, values.shape(), std::as_bytes(std::span<T>(values.data(), values.size())));
}

}  // namespace cria
