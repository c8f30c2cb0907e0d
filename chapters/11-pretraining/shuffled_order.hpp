// An order that changes with each pass over the same things.
#pragma once

#include <cstdint>
#include <vector>

namespace cria {

class ShuffledOrder {
 public:
  explicit ShuffledOrder(std::uint64_t seed, std::size_t count = 0) : seed_(seed), count_(count) {}

  /// Which of `count` things is number `index` of the endless sequence of passes; count must not be 0.
  std::size_t at(std::uint64_t index);
  /// So many things from now on.
  void set_count(std::size_t count) { count_ = count, order_.clear(); }
  std::size_t count() const { return count_; }

 private:
  void shuffle(std::uint64_t pass);

  std::uint64_t seed_, pass_ = 0;
  std::size_t count_;
  std::vector<std::uint32_t> order_;
};

}  // namespace cria
