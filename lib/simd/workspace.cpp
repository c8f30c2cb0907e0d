#include "lib/simd/workspace.hpp"

#include <algorithm>
#include <memory>
#include <new>

namespace cria::simd {

void* workspace(std::size_t bytes, WorkspaceUse use) {
  constexpr std::align_val_t alignment{64};
  struct Free {
    void operator()(void* memory) const { ::operator delete(memory, alignment); }
  };
  struct Piece {
    std::unique_ptr<void, Free> memory;
    std::size_t size = 0;
  };
  thread_local Piece pieces[4];
  auto& [memory, size] = pieces[std::size_t(use)];
  // Enough for the blocks of nearly every product at once: untouched memory costs nothing, and a decoder whose products
  // grow with its cache allocates once.
  bytes = std::max<std::size_t>(bytes, 1 << 20);
  if (bytes > size) {
    memory.reset();
    size = 0;
    memory.reset(::operator new(bytes, alignment));
    size = bytes;
  }
  return memory.get();
}

}  // namespace cria::simd
