// Arena<T>: one block of aligned memory from which views are cut in order.
//
// Parameters, gradients and optimiser state each live in one arena, so they can be zeroed, summed, clipped, saved and
// updated as flat spans; activations live in another, at fixed places, so a training step allocates nothing.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <span>
#include <type_traits>

#include "lib/base/check.hpp"
#include "lib/base/view.hpp"

namespace cria {

/// A block of zeros, aligned to a cache line, which is also the widest vector. Large blocks ask the system for huge
/// pages: weights are read from end to end for every token, and a page of 4 KiB lasts a core for 100 ns. They are not
/// touched, so what is never used of them takes no memory.
class ZeroedBlock {
 public:
  ZeroedBlock() = default;
  /// Throws std::bad_alloc.
  explicit ZeroedBlock(size_t bytes);

  void* data() const { return data_; }

 private:
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };

  std::unique_ptr<void, Free> memory_;
  void* data_ = nullptr;  // its first aligned address
};

template <class T>
class Arena {
 public:
  Arena() = default;
  explicit Arena(size_t capacity) : block_(capacity * sizeof(T)), capacity_(capacity) {
    if constexpr (!std::is_arithmetic_v<T>) std::uninitialized_fill_n(data(), capacity, T{});
  }

  /// The next part of the block, in this shape. Throws ContractError when the block is used up.
  template <size_t N>
  View<T, N> take(const Shape<N>& shape) {
    const size_t count = element_count(shape);
    require(used_ + count <= capacity_, "Arena::take", "the arena is used up");
    View<T, N> view(data() + used_, shape);
    used_ += count;
    return view;
  }

  /// Everything taken so far.
  std::span<T> span() const { return {data(), used_}; }
  size_t capacity() const { return capacity_; }

 private:
  T* data() const { return static_cast<T*>(block_.data()); }

  ZeroedBlock block_;
  size_t capacity_ = 0;
  size_t used_ = 0;
};

}  // namespace cria
