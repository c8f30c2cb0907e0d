#include "lib/base/arena.hpp"

#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace cria {

void* allocate_pages(size_t bytes) {
  constexpr size_t line = 64, huge_page = size_t(2) << 20;
  const size_t alignment = bytes < 2 * huge_page ? line : huge_page;
  void* memory = std::aligned_alloc(alignment, (std::max<size_t>(bytes, 1) + alignment - 1) / alignment * alignment);
  if (!memory) throw std::bad_alloc();
#ifdef __linux__
  if (alignment == huge_page) madvise(memory, bytes, MADV_HUGEPAGE);  // a wish; without it small pages serve
#endif
  return memory;
}

}  // namespace cria
