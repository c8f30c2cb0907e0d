#include "lib/formats/tensor_table.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/check.hpp"

namespace cria {

void TensorTable::add(StoredTensor tensor) {
  if (!index_.emplace(tensor.name, tensors_.size()).second)
    throw UserError(fmt::format("{}: tensor {} is there twice", path_.string(), in_quotes(tensor.name)));
  tensors_.push_back(std::move(tensor));
}

const StoredTensor* TensorTable::find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &tensors_[found->second];
}

const StoredTensor& TensorTable::at(std::string_view name) const {
  if (const StoredTensor* found = find(name)) return *found;
  throw UserError(fmt::format("{}: tensor {} is missing", path_.string(), in_quotes(name)));
}

const StoredTensor& TensorTable::copy_to(std::string_view name, std::span<const size_t> shape,
                                         std::span<real> values) const {
  const StoredTensor& from = at(name);
  if (!std::ranges::equal(from.shape, shape))
    throw UserError(fmt::format("{}: tensor {} has shape {}, expected {}", path_.string(), in_quotes(name),
                                shape_text(from.shape), shape_text(shape)));
  if (!is_floating(from.type))
    throw UserError(fmt::format("{}: tensor {} has type {}, expected numbers with a fraction, such as F16",
                                path_.string(), in_quotes(name), type_layout(from.type).name));
  const TypeLayout layout = type_layout(from.type);
  require(values.size() % layout.numbers == 0 && values.size() / layout.numbers * layout.bytes == from.bytes.size(),
          "TensorTable::copy_to", "the shape's product is not the number of values");
  convert_elements(from.type, from.bytes.data(), values);
  return from;
}

}  // namespace cria
