#include "lib/formats/pack_row.hpp"

#include "lib/base/check.hpp"
#include "lib/formats/with_block.hpp"

namespace cria {

std::optional<simd::PackedType> packed_type(ElementType type) {
  if (type == ElementType::f16) return simd::PackedType::f16;
  if (type == ElementType::bf16) return simd::PackedType::bf16;
  std::optional<simd::PackedType> packed;
  with_block(type, [&]<class Block>() { packed = Block::type; });
  return packed;
}

void pack_row(ElementType type, const std::byte* stored, size_t columns, size_t row, std::byte* to) {
  require(packed_type(type).has_value(), "pack_row", "weights of this type are not packed");
  const bool in_blocks = with_block(type, [&]<class Block>() {
    for (size_t column = 0; column < columns; column += Block::numbers, stored += sizeof(Block)) {
      Block block;
      std::memcpy(&block, stored, sizeof block);
      simd::BlockParts parts;
      take_apart(block, parts);
      simd::pack_block(Block::type, parts, columns, row, column, to);
    }
  });
  if (!in_blocks) std::memcpy(to + row * columns * 2, stored, columns * 2);
}

}  // namespace cria
