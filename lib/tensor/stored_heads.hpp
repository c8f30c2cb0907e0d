// StoredHeads: the keys or values of some positions, which are only read, as `real` or as a cache stores them: smaller,
// or in blocks that lie apart.
//
// Products are of `real` in one piece: what is not is widened first, some positions at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "lib/base/check.hpp"
#include "lib/base/real.hpp"
#include "lib/base/view.hpp"

namespace cria {

/// What a cache makes of a number: `real` as it is; IEEE 754 binary16; or blocks of 32 codes of 8 bits with one scale,
/// GGML's Q8_0.
enum class CacheType { f32, f16, q8_0 };
std::string_view name_of(CacheType type);

/// Numbers of a head are whole blocks of so many.
size_t block_size(CacheType type);
/// What so many numbers take; they are whole blocks.
size_t stored_bytes(CacheType type, size_t numbers);
/// Each number becomes the nearest one of the type. In f16 numbers from 65520 on become infinite, in q8_0 the scale of
/// a block with one from 8.3e6 on: both make the logits infinite or NaN, with which no token is chosen.
void store_numbers(CacheType type, std::span<const real> numbers, std::uint8_t* to);

/// Where positions lie that are stored in blocks: position s in row s % block_rows of block table[s / block_rows].
struct BlockedRows {
  View<const std::uint8_t, 2> rows;          // (blocks * block_rows, bytes of a position)
  std::span<const std::int32_t> table = {};  // of blocks
  size_t block_rows = 1;
};

class StoredHeads {
 public:
  StoredHeads() = default;
  explicit StoredHeads(const View<const real, 3>& numbers) : numbers_(numbers), shape_(numbers.shape()) {}
  /// (S, G, Dh) numbers in a row of bytes for each position. Dh is whole blocks.
  StoredHeads(CacheType type, const View<const std::uint8_t, 2>& rows, size_t heads, size_t head_dim);
  /// The first `positions` of those in blocks, whose table must outlive it.
  StoredHeads(CacheType type, const BlockedRows& blocks, size_t positions, size_t heads, size_t head_dim);

  /// Whether the numbers are not `real`.
  bool is_narrow() const { return type_ != CacheType::f32; }
  /// Whether numbers() are there: they are `real`, and in one piece. Blocks that lie side by side are one.
  bool is_in_place() const;
  CacheType type() const { return type_; }
  const Shape<3>& shape() const { return shape_; }
  size_t shape(size_t axis) const { return shape_[axis]; }

  /// As of a View: some positions, some heads.
  StoredHeads rows(Range positions) const;
  StoredHeads columns(Range heads) const;

  /// The numbers, where they are in place.
  View<const real, 3> numbers() const;
  /// to = the numbers that are stored, in memory without gaps.
  void widen(View<real, 3> to) const;  // (S, G, Dh)

 private:
  bool is_blocked() const { return !blocks_.table.empty(); }
  /// The bytes of the positions from `first` on that lie in one piece.
  View<const std::uint8_t, 2> piece(size_t first) const;

  CacheType type_ = CacheType::f32;
  View<const real, 3> numbers_;
  View<const std::uint8_t, 2> rows_;
  BlockedRows blocks_;
  size_t first_ = 0;  // position in the blocks
  Shape<3> shape_{};
};

}  // namespace cria
