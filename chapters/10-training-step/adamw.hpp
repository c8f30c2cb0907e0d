// Chapter 10: AdamW (Loshchilov & Hutter 2019, arXiv:1711.05101, algorithm 2), clipping, and the learning rate over
// time.
#pragma once

#include <span>
#include <vector>

#include "lib/base/thread_pool.hpp"
#include "lib/tensor/parameter_set.hpp"

namespace cria {

struct AdamWOptions {
  double beta1 = 0.9;
  double beta2 = 0.95;
  double eps = 1e-8;
  double weight_decay = 0.1;
  // What decays: the matrices of the layers and the head, and beside them
  bool decay_embedding = false;  // the embedding, so every matrix, as is usual in PyTorch
  bool decay_all = false;        // the embedding and the norms
};

/// All parameters' numbers are cut into so many parts, whatever the machine is. A sum over them is formed part by part,
/// and several processes that share them have whole parts.
inline constexpr size_t number_parts = 64;
/// The numbers of some parts.
inline Range number_range(Range parts, size_t numbers) {
  return {numbers * parts.begin / number_parts, numbers * parts.end / number_parts};
}

/// Σ g² of each of these parts, in double, to its place among the squares of all.
void sum_squares(std::span<const real> gradient, Range parts, std::span<double, number_parts> squares,
                 ThreadPool& pool);
/// √Σ g² over all parameters, summed in a fixed order in double, so it does not depend on the number of threads.
double global_norm(std::span<const real> gradient, ThreadPool& pool);
/// The same, of the parts' squares.
double global_norm(std::span<const double, number_parts> squares);

/// The factor that brings a gradient of this norm down to max_norm (Pascanu et al. 2013), 1 when it is not above it.
/// Everything is scaled by the one factor, so the direction stays.
double clip_factor(double norm, double max_norm);

/// Warm-up in a straight line to `peak`, then half a cosine down to `floor` at `total`, and flat from there
/// (Loshchilov & Hutter 2017; Touvron et al. 2023, section 2.3). The unit of time is the caller's: steps, or seconds.
struct Schedule {
  double peak = 1e-3;
  double floor = 1e-4;
  double warmup = 100;
  double total = 1000;
};
double learning_rate(const Schedule& schedule, double time);

/// The optimiser's state: running means of the gradient and of its square, one of each for every parameter.
class AdamW {
 public:
  /// Updates some of the number_parts only, and has no memory for the others.
  AdamW(const ParameterSet& weights, AdamWOptions options, Range own_parts = {0, number_parts});

  /// weights -= learning_rate * (m̂ / (√v̂ + eps) + weight_decay * weights), with gradient * gradient_factor as the
  /// gradient. Counts one step.
  void step(const ParameterSet& weights, const ParameterSet& gradients, double gradient_factor, double learning_rate,
            ThreadPool& pool);

  size_t steps() const { return steps_; }
  /// For checkpoints: both states, in the parameters' layout if it updates all of them, and the number of steps.
  const ParameterSet& first_moment() const { return first_; }
  const ParameterSet& second_moment() const { return second_; }
  void set_steps(size_t steps) { steps_ = steps; }

 private:
  struct Part {
    Range numbers;
    bool decays;
  };

  AdamWOptions options_;
  Range own_;  // the numbers that it updates
  ParameterSet first_, second_;
  std::vector<Part> parts_;  // short enough to share out between threads
  size_t steps_ = 0;
};

}  // namespace cria
