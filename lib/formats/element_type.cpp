// Sizes of the element types and the conversion loops.
#include "lib/formats/element_type.hpp"

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

}  // namespace

size_t element_size(ElementType type) {
  switch (type) {
    case ElementType::boolean:
    case ElementType::u8:
    case ElementType::i8:
      return 1;
    case ElementType::u16:
    case ElementType::i16:
    case ElementType::f16:
    case ElementType::bf16:
      return 2;
    case ElementType::u32:
    case ElementType::i32:
    case ElementType::f32:
      return 4;
    case ElementType::u64:
    case ElementType::i64:
    case ElementType::f64:
      return 8;
  }
  return 0;
}

std::optional<size_t> tensor_bytes(std::span<const size_t> shape, ElementType type) {
  size_t bytes = element_size(type);
  for (const size_t extent : shape)
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
  }
}

template void convert_elements(ElementType, const std::byte*, std::span<float>);
template void convert_elements(ElementType, const std::byte*, std::span<double>);

}  // namespace cria
