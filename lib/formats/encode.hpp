// From numbers to the bytes of a tensor file, for the types that need no search: floats, and blocks of 32 with one
// scale each, rounded to the nearest code. Types whose scales are searched for are chapter 13's.
#pragma once

#include <span>
#include <string>

#include "lib/base/real.hpp"
#include "lib/formats/blocks.hpp"
#include "lib/formats/element_type.hpp"

namespace cria {

/// Whether encode_elements knows the type: F64, F32, F16, BF16, Q8_0, Q4_0.
bool can_encode(ElementType type);

/// Appends the values as `type`. Throws ContractError for a type that it does not know, or when the values are no
/// whole number of blocks.
void encode_elements(ElementType type, std::span<const real> values, std::string& out);

/// The nearest float16; infinity from 65520 on.
std::uint16_t float_to_half(float value);

/// The nearest codes to 32 values with scale = largest |value| / 127.
void encode(const real* values, BlockQ8_0& block);
/// With scale = extreme / -8, the extreme being the value furthest from 0: its code is 0, and -8 is exactly reached.
void encode(const real* values, BlockQ4_0& block);

}  // namespace cria
