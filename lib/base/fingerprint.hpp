// A short number that stands for a long text.
#pragma once

#include <cstdint>
#include <string_view>

namespace cria {

/// Two texts have the same one by a chance of 2^-64, unless somebody made them to. FNV-1a: Fowler, Noll and Vo,
/// http://www.isthe.com/chongo/tech/comp/fnv.
constexpr std::uint64_t fingerprint(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  return hash;
}

}  // namespace cria
