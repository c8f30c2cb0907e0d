// ByteStrings: an ordered set of byte strings. Each gets the next free index 0, 1, 2, …, and is found by its bytes.
//
// It is both a vocabulary (the index is the token id) and the list of distinct words that training counts. All bytes
// stand one after the other in one block, and the table holds nothing but 8-byte slots, so a lookup allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cria {

class ByteStrings {
 public:
  static constexpr std::size_t npos = static_cast<std::size_t>(-1);

  std::size_t size() const { return ends_.size() - 1; }
  std::string_view operator[](std::size_t index) const {
    return std::string_view(bytes_).substr(ends_[index], ends_[index + 1] - ends_[index]);
  }

  /// The index of these bytes, or npos.
  std::size_t find(std::string_view string) const;
  /// The index of these bytes, added at the end if they are new. At most 2^32 - 2 strings.
  std::size_t insert(std::string_view string);

  /// The length of all strings together.
  std::size_t total_bytes() const { return bytes_.size(); }

 private:
  struct Slot {
    std::uint32_t tag = 0;           // the upper half of the hash, so that most wrong slots are passed without a look
    std::uint32_t index_plus_1 = 0;  // 0 marks a free slot
  };
  /// The slot that holds the string, or the free one where it belongs.
  const Slot& slot_of(std::string_view string, std::uint64_t hash) const;
  void grow();

  std::string bytes_;
  std::vector<std::size_t> ends_{0};  // string i is bytes_[ends_[i] … ends_[i + 1])
  std::vector<Slot> slots_ = std::vector<Slot>(16);
};

}  // namespace cria
