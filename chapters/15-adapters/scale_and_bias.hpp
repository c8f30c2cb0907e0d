// Chapter 15: what LLaMA-Adapter V2 gives to a linear layer (Gao et al. 2023, arXiv:2304.15010, section 4.1): a scale
// and a bias.
//
//   y = (s ∘ x) Wᵀ + b        W (M, K) stays as it is, s (K) and b (M) learn
//
// The paper writes s ∘ (x Wᵀ + b), with a scale for each output; its authors' code scales the inputs, and so does this
// chapter: then the scale's gradient is formed of d_x, which is there anyway. That of a scale for each output needs x
// Wᵀ a second time.
#pragma once

#include "lib/tensor/weight.hpp"

namespace cria {

/// y = s ∘ x, row by row.
void scale_forward(View<const real, 2> x,      // (N, K)
                   View<const real, 1> scale,  // (K)
                   View<real, 2> y);           // (N, K)
/// d_x and d_scale += their gradients. d_x may be empty: then nothing below learns.
void scale_backward(View<const real, 2> d_y,    // (N, K)
                    View<const real, 2> x,      // (N, K)
                    View<const real, 1> scale,  // (K)
                    View<real, 2> d_x,          // (N, K)
                    View<real, 1> d_scale);     // (K)

/// y += b, row by row.
void bias_forward(View<const real, 1> bias,  // (M)
                  View<real, 2> y);          // (N, M)
/// d_bias += its gradient.
void bias_backward(View<const real, 2> d_y,  // (N, M)
                   View<real, 1> d_bias);    // (M)

/// The learned numbers of one linear layer, or their gradients.
template <class T>
struct ScaleAndBias {
  View<T, 1> scale;  // (K)
  View<T, 1> bias;   // (M)
};

/// Both, as what the model's linear layers call.
class ScaleAndBiasAddition : public Addition {
 public:
  /// `gradients` are empty where nothing is learned.
  ScaleAndBiasAddition(const ScaleAndBias<const real>& numbers, const ScaleAndBias<real>& gradients)
      : numbers_(numbers), gradients_(gradients) {}

  void forward(View<const real, 2> x, Range outputs, View<real, 2> y) const override;
  void backward(View<const real, 2> d_y, View<const real, 2> x, View<real, 2> d_x) const override;
  bool changes_input() const override { return true; }
  void input_forward(View<const real, 2> x, View<real, 2> to) const override;
  void input_backward(View<const real, 2> d_to, View<const real, 2> x, View<real, 2> d_x) const override;

 private:
  ScaleAndBias<const real> numbers_;
  ScaleAndBias<real> gradients_;
};

}  // namespace cria
