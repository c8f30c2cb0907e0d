// Arena<T>: one block of aligned memory from which views are cut in order.
//
// Parameters, gradients and optimiser state each live in one arena, so they can be zeroed, summed, clipped, saved and
// updated as flat spans; activations live in another, at fixed places, so a training step allocates nothing.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <span>

#include "lib/base/check.hpp"
#include "lib/base/view.hpp"

namespace cria {

/// Memory for std::free, aligned to a cache line, which is also the widest vector. Large blocks ask the system for huge
/// pages: weights are read from end to end for every token, and a page of 4 KiB lasts a core for 100 ns. Throws
/// std::bad_alloc.
void* allocate_pages(size_t bytes);

template <class T>
class Arena {
 public:
  Arena() = default;
  explicit Arena(size_t capacity)
      : memory_(static_cast<T*>(allocate_pages(capacity * sizeof(T)))), capacity_(capacity) {
    std::fill_n(memory_.get(), capacity, T{});
  }

  /// The next part of the block, in this shape. Throws ContractError when the block is used up.
  template <size_t N>
  View<T, N> take(const Shape<N>& shape) {
    const size_t count = element_count(shape);
    require(used_ + count <= capacity_, "Arena::take", "the arena is used up");
    View<T, N> view(memory_.get() + used_, shape);
    used_ += count;
    return view;
  }

  /// Everything taken so far.
  std::span<T> span() const { return {memory_.get(), used_}; }
  size_t capacity() const { return capacity_; }

 private:
  struct Free {
    void operator()(T* memory) const { std::free(memory); }
  };

  std::unique_ptr<T[], Free> memory_;
  size_t capacity_ = 0;
  size_t used_ = 0;
};

}  // namespace cria
