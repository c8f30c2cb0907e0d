// TensorTable: the named tensors of a file as they lie in it, whatever the file's format.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/real.hpp"
#include "lib/base/view.hpp"
#include "lib/formats/element_type.hpp"

namespace cria {

/// A tensor as it lies in a mapped file: row-major, little-endian, at any alignment.
struct StoredTensor {
  std::string name;
  ElementType type;
  std::vector<size_t> shape;
  std::span<const std::byte> bytes;
};

class TensorTable {
 public:
  /// `path` is what messages name.
  explicit TensorTable(std::filesystem::path path) : path_(std::move(path)) {}

  /// Throws UserError when there is a tensor of that name.
  void add(StoredTensor tensor);

  const std::vector<StoredTensor>& all() const { return tensors_; }
  /// Nothing when there is no such tensor.
  const StoredTensor* find(std::string_view name) const;
  /// Throws UserError when there is no such tensor.
  const StoredTensor& at(std::string_view name) const;

  /// A tensor of floating-point numbers or blocks of them as `real`, in row-major order. Throws UserError when it is
  /// missing, of another shape, or of integers.
  const StoredTensor& copy_to(std::string_view name, std::span<const size_t> shape, std::span<real> values) const;

 private:
  std::filesystem::path path_;
  std::vector<StoredTensor> tensors_;
  std::map<std::string, size_t, std::less<>> index_;  // name -> place in tensors_
};

}  // namespace cria
