#include "app/look/encoded.hpp"

#include <bit>
#include <vector>

namespace cria::look {
namespace {

template <class Number>
std::string encode_numbers(std::span<const Number> numbers) {
  static_assert(std::endian::native == std::endian::little && sizeof(Number) == 4);
  return base64({reinterpret_cast<const char*>(numbers.data()), numbers.size_bytes()});
}

}  // namespace

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t three = 0;
    for (size_t k = 0; k < 3; ++k) three = three << 8 | (i + k < bytes.size() ? std::uint8_t(bytes[i + k]) : 0u);
    for (size_t k = 0; k < 4; ++k) text += i + k > bytes.size() ? '=' : digits[three >> (18 - 6 * k) & 63];
  }
  return text;
}

std::string encoded(std::span<const real> numbers) {
  const std::vector<float> floats(numbers.begin(), numbers.end());
  return encode_numbers(std::span<const float>(floats));
}

std::string encoded(std::span<const std::int32_t> numbers) { return encode_numbers(numbers); }

std::string hexadecimal(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes) text += {digits[std::uint8_t(byte) >> 4], digits[std::uint8_t(byte) & 15]};
  return text;
}

}  // namespace cria::look
