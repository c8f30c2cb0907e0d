// Numbers and bytes as the page's JSON holds them: arrays of 32 bits in base64, which a script turns into a typed array
// at once, and bytes of tokens in hexadecimal digits, as they need not be UTF-8.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "lib/base/real.hpp"

namespace cria::look {

std::string base64(std::string_view bytes);

/// Little-endian floats, whatever `real` is.
std::string encoded(std::span<const real> numbers);
std::string encoded(std::span<const std::int32_t> numbers);

std::string hexadecimal(std::string_view bytes);

}  // namespace cria::look
