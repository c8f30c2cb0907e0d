#include "lib/base/arena.hpp"

#include <new>

#include "lib/base/pages.hpp"

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace cria {

// calloc knows which memory comes as zeros from the system; a block of more than 32 MB always does.
ZeroedBlock::ZeroedBlock(size_t bytes) {
  constexpr size_t line = 64, huge_page = huge_page_bytes;
  const size_t alignment = bytes < 2 * huge_page ? line : huge_page;
  size_t room = bytes + alignment;
  if (room < bytes) throw std::bad_alloc();
  memory_.reset(std::calloc(room, 1));
  data_ = memory_.get();
  if (!std::align(alignment, bytes, data_, room)) throw std::bad_alloc();
#ifdef __linux__
  if (alignment == huge_page) madvise(data_, bytes, MADV_HUGEPAGE);  // a wish; without it small pages serve
#endif
}

}  // namespace cria
