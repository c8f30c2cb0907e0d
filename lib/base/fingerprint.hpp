// A short number that stands for a long text, or for much data.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace cria {

inline constexpr std::uint64_t fingerprint_start = 0xcbf29ce484222325, fingerprint_factor = 0x100000001b3;

/// Two texts have the same one by a chance of 2^-64, unless somebody made them to. FNV-1a: Fowler, Noll and Vo,
/// http://www.isthe.com/chongo/tech/comp/fnv. `before` is the fingerprint of what stands before the text.
constexpr std::uint64_t fingerprint(std::string_view bytes, std::uint64_t before = fingerprint_start) {
  std::uint64_t hash = before;
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * fingerprint_factor;
  return hash;
}

/// Of the bytes of numbers.
template <class Numbers>
std::uint64_t fingerprint_of(const Numbers& numbers, std::uint64_t before = fingerprint_start) {
  return fingerprint({reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(*numbers.data())}, before);
}

/// For gigabytes: the same with words of 8 bytes for bytes, in eight rows side by side, as each multiplication waits
/// for the one before it. Every step can be undone, so one wrong word, or bit, always gives another number.
inline std::uint64_t bulk_fingerprint(std::string_view bytes, std::uint64_t before = fingerprint_start) {
  constexpr std::size_t rows = 8;
  std::array<std::uint64_t, rows> hash{}, words{};
  hash.fill(before);
  for (; bytes.size() >= sizeof words; bytes.remove_prefix(sizeof words)) {
    std::memcpy(words.data(), bytes.data(), sizeof words);
    for (std::size_t i = 0; i < rows; ++i) hash[i] = (hash[i] ^ words[i]) * fingerprint_factor;
  }
  std::uint64_t all = fingerprint(bytes, before);
  for (const std::uint64_t row : hash) all = (all ^ row) * fingerprint_factor;
  return all;
}

}  // namespace cria
