#include "chapters/22-serving/token_set.hpp"

#include <algorithm>
#include <bit>
#include <limits>

namespace cria {

size_t TokenSet::count() const {
  size_t count = 0;
  for (const std::uint64_t word : words_) count += static_cast<size_t>(std::popcount(word));
  return count;
}

void TokenSet::mask(View<real, 1> logits) const {
  constexpr real never = -std::numeric_limits<real>::infinity();
  const std::span<real> values = logits.span();
  for (size_t begin = 0; begin < values.size(); begin += 64) {
    const size_t end = std::min(begin + 64, values.size());
    const std::uint64_t word = begin / 64 < words_.size() ? words_[begin / 64] : 0;
    if (word == ~std::uint64_t(0)) continue;
    // solution: mask_logits
    for (size_t i = begin; i < end; ++i)
      if ((word >> (i - begin) & 1) == 0) values[i] = never;
    // end of solution
  }
}

}  // namespace cria
