// A tensor on its way into a file, whatever the file's format.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/file.hpp"
#include "lib/base/real.hpp"
#include "lib/formats/element_type.hpp"

namespace cria {

struct TensorToWrite;

/// Appends whole rows of the tensor as its type, in place of encode_elements: for types whose scales are searched for.
using EncodeRows = std::function<void(const TensorToWrite& tensor, std::span<const real> rows, std::string& out)>;

struct TensorToWrite {
  std::string name;
  std::vector<size_t> shape;  // row-major; its product is the number of values
  std::span<const real> values;
  ElementType type = ElementType::f32;  // one that encode_elements knows, or `encode`
  /// In place of values, where these are made only when they are written. The next tensor's may take their memory.
  std::function<std::span<const real>()> make = {};
  EncodeRows encode = {};
};

/// How many bytes the values take in a file. Throws ContractError for a shape that does not fit the values or the type.
size_t written_bytes(const TensorToWrite& tensor);

/// Throws UserError naming the tensor for a value that is finite, and not in its type (from 65520 on in F16), or that
/// is not finite in a block.
void require_in_range(std::string_view name, ElementType type, std::span<const real> values);

/// Writes the values in pieces, so that a large tensor needs no second copy of itself. Throws UserError for one that is
/// not in range.
void write_values(const TensorToWrite& tensor, const WriteBytes& write);

}  // namespace cria
