#include "lib/tensor/stored_heads.hpp"

#include <algorithm>
#include <cstring>

#include "lib/simd/primitives.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {
namespace {

/// to = the numbers of rows of that many.
void widen_rows(CacheType type, View<const std::uint8_t, 2> rows, size_t width, real* to) {
  // Rows without gaps are one row.
  const size_t count = rows.contiguous() ? 1 : rows.shape(0), numbers = rows.shape(0) / count * width;
  for (size_t s = 0; s < count; ++s, to += numbers) {
    const std::uint8_t* from = rows.data() + s * rows.stride(0);
    if (type == CacheType::f32)
      std::memcpy(to, from, numbers * sizeof(real));
    else if (type == CacheType::f16)
      simd::widen(reinterpret_cast<const simd::Float16*>(from), to, numbers);
    else
      simd::widen(reinterpret_cast<const simd::BlockQ8_0*>(from), to, numbers / block_size(type));
  }
}

}  // namespace

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

StoredHeads::StoredHeads(CacheType type, const BlockedRows& blocks, size_t positions, size_t heads, size_t head_dim)
    : type_(type), blocks_(blocks), shape_{positions, heads, head_dim} {
  require(head_dim % block_size(type) == 0, "StoredHeads", "a head is no whole number of blocks");
  require(positions > 0 && positions <= blocks.table.size() * blocks.block_rows, "StoredHeads",
          "there are no positions, or more than the blocks have");
  require_shape("StoredHeads", blocks.rows, Shape<2>{blocks.rows.shape(0), stored_bytes(type, heads * head_dim)});
}

View<const std::uint8_t, 2> StoredHeads::piece(size_t first) const {
  const size_t B = blocks_.block_rows, begin = first_ + first, end = first_ + shape_[0];
  const auto row = [&](size_t position) { return size_t(blocks_.table[position / B]) * B + position % B; };
  size_t limit = begin / B * B + B;
  while (limit < end && row(limit) == row(limit - 1) + 1) limit += B;
  const size_t at = row(begin);
  return blocks_.rows.rows(at, at + std::min(limit, end) - begin);
}

bool StoredHeads::is_in_place() const { return !is_narrow() && (!is_blocked() || piece(0).shape(0) == shape_[0]); }

StoredHeads StoredHeads::rows(Range positions) const {
  if (is_blocked()) {
    require(positions.begin < positions.end && positions.end <= shape_[0], "StoredHeads::rows",
            "there are no such positions");
    StoredHeads part = *this;
    part.first_ += positions.begin, part.shape_[0] = positions.size();
    return part;
  }
  if (!is_narrow()) return StoredHeads(numbers_.rows(positions));
  return {type_, rows_.rows(positions), shape_[1], shape_[2]};
}

StoredHeads StoredHeads::columns(Range heads) const {
  if (is_blocked()) {
    StoredHeads part = *this;
    part.blocks_.rows = blocks_.rows.columns(heads * stored_bytes(type_, shape_[2]));
    part.shape_[1] = heads.size();
    return part;
  }
  if (!is_narrow()) return StoredHeads(numbers_.columns(heads));
  return {type_, rows_.columns(heads * stored_bytes(type_, shape_[2])), heads.size(), shape_[2]};
}

View<const real, 3> StoredHeads::numbers() const {
  require(is_in_place(), "StoredHeads", "the numbers are stored smaller or in pieces, and have to be widened");
  if (!is_blocked()) return numbers_;
  const View<const std::uint8_t, 2> bytes = piece(0);
  return {reinterpret_cast<const real*>(bytes.data()), shape_, {blocks_.rows.stride(0) / sizeof(real), shape_[2], 1}};
}

void StoredHeads::widen(View<real, 3> to) const {
  require_shape("StoredHeads::widen", to, shape_);
  if (!is_narrow() && !is_blocked()) {
    noalias(to) = numbers_;
    return;
  }
  require(to.contiguous(), "StoredHeads::widen", "the memory must have no gaps");
  for (size_t first = 0; first < shape_[0];) {
    const View<const std::uint8_t, 2> from = is_blocked() ? piece(first) : rows_;
    widen_rows(type_, from, shape_[1] * shape_[2], to.data() + first * shape_[1] * shape_[2]);
    first += from.shape(0);
  }
}

}  // namespace cria
