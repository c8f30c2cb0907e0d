// A change of low rank as an addition to a weight, with its memory: what the model's linear layers call.
#pragma once

#include <cstdint>
#include <optional>

#include "lib/tensor/weight.hpp"

namespace cria {

/// What is random in a lane's passes: dropout, where there is a seed.
struct Noise {
  double rate = 0;
  std::optional<std::uint64_t> seed = {};
};

class LowRankAddition : public Addition {
 public:
  /// `d_a` and `d_b` are empty where nothing is learned, and `noise` may be null. `number` tells layers apart that read
  /// the same: each drops numbers of its own.
  LowRankAddition(View<const real, 2> a, View<const real, 2> b, real scale, View<real, 2> d_a, View<real, 2> d_b,
                  const Noise* noise, size_t number)
      : a_(a), b_(b), scale_(scale), d_a_(d_a), d_b_(d_b), noise_(noise), number_(number) {}

  void forward(View<const real, 2> x, Range outputs, View<real, 2> y) const override;
  void backward(View<const real, 2> d_y, View<const real, 2> x, View<real, 2> d_x) const override;

 private:
  bool drops() const { return noise_ && noise_->seed && noise_->rate > 0; }
  /// to = dropout(x), or += it.
  void drop(View<const real, 2> x, View<real, 2> to) const;

  View<const real, 2> a_, b_;  // (R, K), (M, R)
  real scale_;
  View<real, 2> d_a_, d_b_;
  const Noise* noise_;
  size_t number_;
};

}  // namespace cria
