// ByteStrings: open addressing with linear probing, at most half full.
#include "chapters/01-bpe/byte_strings.hpp"

#include <cstring>

namespace cria {
namespace {

template <class Word>
std::uint64_t load(const char* from) {
  Word word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

std::uint64_t mix(std::uint64_t hash, std::uint64_t word) {
  hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
  return hash ^ (hash >> 32);
}

/// Eight bytes at a time. The rest is read as two words that may overlap, which is quicker than byte by byte.
std::uint64_t hash_of(std::string_view string) {
  const char* at = string.data();
  std::size_t left = string.size();
  std::uint64_t hash = left * 0xD6E8FEB86659FD93u;
  for (; left >= 8; at += 8, left -= 8) hash = mix(hash, load<std::uint64_t>(at));
  if (left >= 4)
    hash = mix(hash, load<std::uint32_t>(at) << 32 | load<std::uint32_t>(at + left - 4));
  else if (left > 0)
    hash = mix(hash, load<std::uint8_t>(at) << 16 | load<std::uint8_t>(at + left / 2) << 8 |
                         load<std::uint8_t>(at + left - 1));
  return mix(hash, 0);
}

std::uint32_t tag_of(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 32); }

}  // namespace

const ByteStrings::Slot& ByteStrings::slot_of(std::string_view string, std::uint64_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = hash & mask;; i = (i + 1) & mask) {
    const Slot& slot = slots_[i];
    if (slot.index_plus_1 == 0 || (slot.tag == tag_of(hash) && (*this)[slot.index_plus_1 - 1] == string)) return slot;
  }
}

std::size_t ByteStrings::find(std::string_view string) const {
  return static_cast<std::size_t>(slot_of(string, hash_of(string)).index_plus_1) - 1;  // 0 - 1 is npos
}

std::size_t ByteStrings::insert(std::string_view string) {
  if (2 * (size() + 1) > slots_.size()) grow();
  const std::uint64_t hash = hash_of(string);
  Slot& slot = const_cast<Slot&>(slot_of(string, hash));
  if (slot.index_plus_1 == 0) {
    bytes_ += string;
    ends_.push_back(bytes_.size());
    slot = {tag_of(hash), static_cast<std::uint32_t>(size())};
  }
  return slot.index_plus_1 - 1;
}

void ByteStrings::grow() {
  slots_.assign(2 * slots_.size(), {});
  for (std::size_t i = 0; i < size(); ++i) {
    const std::uint64_t hash = hash_of((*this)[i]);
    const_cast<Slot&>(slot_of((*this)[i], hash)) = {tag_of(hash), static_cast<std::uint32_t>(i + 1)};
  }
}

}  // namespace cria
