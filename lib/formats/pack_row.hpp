// Rows of a tensor file's weights, put in the order in which lib/simd multiplies them.
#pragma once

#include <optional>

#include "lib/formats/element_type.hpp"
#include "lib/simd/packed.hpp"

namespace cria {

/// How lib/simd calls the type, where it multiplies weights of it as they are stored: all but F32 and F64.
std::optional<simd::PackedType> packed_type(ElementType type);

/// Puts a row, as GGUF files and safetensors store it, at its place `row` in the packed matrix at `to`, which was
/// zeros. The type is one that is packed; columns are whole blocks of it.
void pack_row(ElementType type, const std::byte* stored, size_t columns, size_t row, std::byte* to);

}  // namespace cria
