#include "lib/base/pages.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

#ifdef __linux__
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace cria {
namespace {

struct Addresses {
  std::uintptr_t begin, end;
};

[[maybe_unused]] Addresses addresses_of(std::span<const std::byte> bytes) {
  const auto begin = reinterpret_cast<std::uintptr_t>(bytes.data());
  return {begin, begin + bytes.size()};
}

}  // namespace

std::size_t page_bytes() {
#ifdef __linux__
  static const auto bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return bytes;
#else
  return 4096;
#endif
}

// Private memory of no file that the system has taken back is read as zeros: madvise(2).
void give_back(std::span<std::byte> bytes) {
#ifdef __linux__
  const std::size_t page = page_bytes();
  const auto [begin, end] = addresses_of(bytes);
  const std::uintptr_t first = (begin + page - 1) / page * page, last = end / page * page;
  if (first < last && madvise(bytes.data() + (first - begin), last - first, MADV_DONTNEED) == 0) {
    std::ranges::fill(bytes.first(first - begin), std::byte{0});
    std::ranges::fill(bytes.subspan(last - begin), std::byte{0});
    return;
  }
#endif
  std::ranges::fill(bytes, std::byte{0});
}

std::optional<std::size_t> resident_bytes([[maybe_unused]] std::span<const std::byte> bytes) {
#ifdef __linux__
  const std::size_t page = page_bytes();
  const auto [begin, end] = addresses_of(bytes);
  const std::uintptr_t first = begin / page * page;
  std::vector<unsigned char> resident((end - first + page - 1) / page);
  if (mincore(reinterpret_cast<void*>(first), end - first, resident.data()) == 0)  // NOLINT: it is an address
    return page * static_cast<std::size_t>(std::ranges::count_if(resident, [](unsigned char is) { return is & 1; }));
#endif
  return std::nullopt;
}

}  // namespace cria
