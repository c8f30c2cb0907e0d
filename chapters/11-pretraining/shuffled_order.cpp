#include "chapters/11-pretraining/shuffled_order.hpp"

#include <numeric>
#include <utility>

#include "lib/base/random.hpp"

namespace cria {

size_t ShuffledOrder::at(std::uint64_t index) {
  const std::uint64_t pass = index / count_;
  if (order_.empty() || pass != pass_) shuffle(pass);
  return order_[index % count_];
}

void ShuffledOrder::shuffle(std::uint64_t pass) {
  pass_ = pass;
  order_.resize(count_);
  std::iota(order_.begin(), order_.end(), 0);
  Random random(seed_ * 0x9E3779B97F4A7C15u + pass);
  for (size_t left = order_.size(); left > 1; --left)
    std::swap(order_[left - 1], order_[random.below(static_cast<std::uint32_t>(left))]);
}

}  // namespace cria
