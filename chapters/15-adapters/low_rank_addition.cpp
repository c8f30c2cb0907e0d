#include "chapters/15-adapters/low_rank_addition.hpp"

#include "chapters/15-adapters/dropout.hpp"
#include "chapters/15-adapters/low_rank.hpp"
#include "lib/base/check.hpp"
#include "lib/simd/workspace.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {
namespace {

/// Cuts matrices of N rows from this thread's memory.
class RowMemory {
 public:
  RowMemory(size_t rows, size_t columns)
      : rows_(rows),
        next_(static_cast<real*>(simd::workspace(rows * columns * sizeof(real), simd::WorkspaceUse::component))) {}
  View<real, 2> take(size_t columns) {
    const View<real, 2> taken(next_, {rows_, columns});
    next_ += taken.size();
    return taken;
  }

 private:
  size_t rows_;
  real* next_;
};

}  // namespace

void LowRankAddition::drop(View<const real, 2> x, View<real, 2> to) const {
  constexpr std::uint64_t apart = std::uint64_t(1) << 32;  // more rows than a micro-batch has
  dropout(x, noise_->rate, *noise_->seed + number_ * apart, to);
}

void LowRankAddition::forward(View<const real, 2> x, Range outputs, View<real, 2> y) const {
  const size_t N = x.shape(0), K = x.shape(1), R = a_.shape(0);
  RowMemory memory(N, R + (drops() ? K : 0));
  const View<real, 2> inner = memory.take(R);
  if (drops()) {
    const View<real, 2> dropped = memory.take(K);
    noalias(dropped) = 0;
    drop(x, dropped);
    x = dropped;
  }
  low_rank_forward(x, a_, b_.rows(outputs), scale_, inner, y);
}

void LowRankAddition::backward(View<const real, 2> d_y, View<const real, 2> x, View<real, 2> d_x) const {
  require(!d_a_.empty(), "LowRankAddition", "the adapter was attached to be read, not to learn");
  const size_t N = x.shape(0), K = x.shape(1), R = a_.shape(0);
  RowMemory memory(N, 2 * R + (drops() ? 2 * K : 0));
  const View<real, 2> inner = memory.take(R), d_inner = memory.take(R);
  if (!drops()) return low_rank_backward(d_y, x, a_, b_, scale_, inner, d_inner, d_x, d_a_, d_b_);
  const View<real, 2> dropped = memory.take(K), d_dropped = memory.take(K);
  noalias(dropped) = 0;
  noalias(d_dropped) = 0;
  drop(x, dropped);
  low_rank_backward(d_y, dropped, a_, b_, scale_, inner, d_inner, d_dropped, d_a_, d_b_);
  if (!d_x.empty()) drop(d_dropped, d_x);
}

}  // namespace cria
