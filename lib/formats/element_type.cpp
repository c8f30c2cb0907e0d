// Layouts of the element types, and the conversion loops.
#include "lib/formats/element_type.hpp"

#include <algorithm>

#include "lib/formats/with_block.hpp"

namespace cria {
namespace {

// The bits of an element as they lie in the file, decoded by `decode`.
template <class Stored, class To, class Decode>
void convert(const std::byte* from, std::span<To> to, Decode decode) {
  for (To& value : to) {
    Stored stored;
    std::memcpy(&stored, from, sizeof stored);
    value = static_cast<To>(decode(stored));
    from += sizeof stored;
  }
}

template <class Stored, class To>
void convert(const std::byte* from, std::span<To> to) {
  convert<Stored>(from, to, [](Stored stored) { return stored; });
}

template <class Block, class To>
void convert_blocks(const std::byte* from, std::span<To> to) {
  for (; !to.empty(); to = to.subspan(Block::numbers), from += sizeof(Block)) {
    Block block;
    std::memcpy(&block, from, sizeof block);
    float values[Block::numbers];
    decode(block, values);
    std::copy(values, values + Block::numbers, to.begin());
  }
}

template <class Block>
constexpr TypeLayout block_layout(std::string_view name) {
  return {name, Block::numbers, sizeof(Block)};
}

}  // namespace

TypeLayout type_layout(ElementType type) {
  switch (type) {
    case ElementType::boolean:
      return {"BOOL", 1, 1};
    case ElementType::u8:
      return {"U8", 1, 1};
    case ElementType::i8:
      return {"I8", 1, 1};
    case ElementType::u16:
      return {"U16", 1, 2};
    case ElementType::i16:
      return {"I16", 1, 2};
    case ElementType::u32:
      return {"U32", 1, 4};
    case ElementType::i32:
      return {"I32", 1, 4};
    case ElementType::u64:
      return {"U64", 1, 8};
    case ElementType::i64:
      return {"I64", 1, 8};
    case ElementType::f16:
      return {"F16", 1, 2};
    case ElementType::bf16:
      return {"BF16", 1, 2};
    case ElementType::f32:
      return {"F32", 1, 4};
    case ElementType::f64:
      return {"F64", 1, 8};
    case ElementType::q4_0:
      return block_layout<BlockQ4_0>("Q4_0");
    case ElementType::q4_1:
      return block_layout<BlockQ4_1>("Q4_1");
    case ElementType::q5_0:
      return block_layout<BlockQ5_0>("Q5_0");
    case ElementType::q5_1:
      return block_layout<BlockQ5_1>("Q5_1");
    case ElementType::q8_0:
      return block_layout<BlockQ8_0>("Q8_0");
    case ElementType::q2_k:
      return block_layout<BlockQ2K>("Q2_K");
    case ElementType::q3_k:
      return block_layout<BlockQ3K>("Q3_K");
    case ElementType::q4_k:
      return block_layout<BlockQ4K>("Q4_K");
    case ElementType::q5_k:
      return block_layout<BlockQ5K>("Q5_K");
    case ElementType::q6_k:
      return block_layout<BlockQ6K>("Q6_K");
    case ElementType::iq4_nl:
      return block_layout<BlockIQ4NL>("IQ4_NL");
    case ElementType::iq4_xs:
      return block_layout<BlockIQ4XS>("IQ4_XS");
  }
  return {"?", 1, 0};
}

bool is_floating(ElementType type) { return type >= ElementType::f16; }

std::optional<ElementType> floating_type(std::string_view name) {
  const auto same = [](char letter, char capital) {
    return letter == capital || (letter >= 'a' && letter <= 'z' && letter - 'a' + 'A' == capital);
  };
  for (int type = int(ElementType::f16); type <= int(ElementType::iq4_xs); ++type)
    if (std::ranges::equal(name, type_layout(ElementType(type)).name, same)) return ElementType(type);
  return std::nullopt;
}

ElementType fitting_type(size_t row, ElementType type) {
  return row % type_layout(type).numbers == 0 ? type : ElementType::f16;
}

std::optional<size_t> tensor_bytes(std::span<const size_t> shape, ElementType type) {
  const TypeLayout layout = type_layout(type);
  const size_t row = shape.empty() ? 1 : shape.back();
  if (row % layout.numbers != 0) return std::nullopt;
  size_t bytes;
  if (__builtin_mul_overflow(row / layout.numbers, layout.bytes, &bytes)) return std::nullopt;
  for (const size_t extent : shape.first(shape.empty() ? 0 : shape.size() - 1))
    if (__builtin_mul_overflow(bytes, extent, &bytes)) return std::nullopt;
  return bytes;
}

template <class To>
void convert_elements(ElementType type, const std::byte* from, std::span<To> to) {
  switch (type) {
    case ElementType::boolean:
      return convert<std::uint8_t>(from, to, [](std::uint8_t byte) { return byte != 0; });
    case ElementType::u8:
      return convert<std::uint8_t>(from, to);
    case ElementType::i8:
      return convert<std::int8_t>(from, to);
    case ElementType::u16:
      return convert<std::uint16_t>(from, to);
    case ElementType::i16:
      return convert<std::int16_t>(from, to);
    case ElementType::u32:
      return convert<std::uint32_t>(from, to);
    case ElementType::i32:
      return convert<std::int32_t>(from, to);
    case ElementType::u64:
      return convert<std::uint64_t>(from, to);
    case ElementType::i64:
      return convert<std::int64_t>(from, to);
    case ElementType::f16:
      return convert<std::uint16_t>(from, to, half_to_float);
    case ElementType::bf16:
      return convert<std::uint16_t>(from, to, bfloat16_to_float);
    case ElementType::f32:
      return convert<float>(from, to);
    case ElementType::f64:
      return convert<double>(from, to);
    default:
      with_block(type, [&]<class Block>() { convert_blocks<Block>(from, to); });
  }
}

template void convert_elements(ElementType, const std::byte*, std::span<float>);
template void convert_elements(ElementType, const std::byte*, std::span<double>);

}  // namespace cria
