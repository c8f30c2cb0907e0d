#include "lib/tensor/stored_heads.hpp"

#include <algorithm>
#include <cstring>

#include "lib/simd/primitives.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {

std::string_view name_of(CacheType type) {
  switch (type) {
    case CacheType::f32:
      return "f32";
    case CacheType::f16:
      return "f16";
    case CacheType::q8_0:
      return "q8_0";
  }
  fail("name_of", "there is no such type of a cache");
}

size_t block_size(CacheType type) { return type == CacheType::q8_0 ? simd::BlockQ8_0::numbers : 1; }

size_t stored_bytes(CacheType type, size_t numbers) {
  switch (type) {
    case CacheType::f32:
      return numbers * sizeof(real);
    case CacheType::f16:
      return numbers * sizeof(simd::Float16);
    case CacheType::q8_0:
      return numbers / block_size(type) * sizeof(simd::BlockQ8_0);
  }
  fail("stored_bytes", "there is no such type of a cache");
}

void store_numbers(CacheType type, std::span<const real> numbers, std::uint8_t* to) {
  const size_t blocks = numbers.size() / block_size(type);
  switch (type) {
    case CacheType::f32:
      std::memcpy(to, numbers.data(), numbers.size_bytes());
      return;
    case CacheType::f16:
      return simd::narrow(numbers.data(), reinterpret_cast<simd::Float16*>(to), blocks);
    case CacheType::q8_0:
      return simd::narrow(numbers.data(), reinterpret_cast<simd::BlockQ8_0*>(to), blocks);
  }
}

StoredHeads::StoredHeads(CacheType type, const View<const std::uint8_t, 2>& rows, size_t heads, size_t head_dim)
    : type_(type), rows_(rows), shape_{rows.shape(0), heads, head_dim} {
  require(head_dim % block_size(type) == 0, "StoredHeads", "a head is no whole number of blocks");
  require_shape("StoredHeads", rows, Shape<2>{shape_[0], stored_bytes(type, heads * head_dim)});
  if (!is_narrow())
    numbers_ = {reinterpret_cast<const real*>(rows.data()), shape_, {rows.stride(0) / sizeof(real), head_dim, 1}};
}

StoredHeads StoredHeads::rows(Range positions) const {
  if (!is_narrow()) return StoredHeads(numbers_.rows(positions));
  return {type_, rows_.rows(positions), shape_[1], shape_[2]};
}

StoredHeads StoredHeads::columns(Range heads) const {
  if (!is_narrow()) return StoredHeads(numbers_.columns(heads));
  return {type_, rows_.columns(heads * stored_bytes(type_, shape_[2])), heads.size(), shape_[2]};
}

const View<const real, 3>& StoredHeads::numbers() const {
  require(!is_narrow(), "StoredHeads", "the numbers are stored smaller, and have to be widened");
  return numbers_;
}

void StoredHeads::widen(View<real, 3> to) const {
  require_shape("StoredHeads::widen", to, shape_);
  if (!is_narrow()) {
    noalias(to) = numbers_;
    return;
  }
  require(to.contiguous(), "StoredHeads::widen", "the memory must have no gaps");
  const size_t width = shape_[1] * shape_[2];
  // Rows without gaps are one row.
  const size_t rows = rows_.contiguous() ? 1 : shape_[0], numbers = shape_[0] / std::max<size_t>(rows, 1) * width;
  for (size_t s = 0; s < rows; ++s) {
    const std::uint8_t* from = rows_.data() + s * rows_.stride(0);
    real* row = to.data() + s * width;
    if (type_ == CacheType::f16)
      simd::widen(reinterpret_cast<const simd::Float16*>(from), row, numbers);
    else
      simd::widen(reinterpret_cast<const simd::BlockQ8_0*>(from), row, numbers / block_size(type_));
  }
}

}  // namespace cria
