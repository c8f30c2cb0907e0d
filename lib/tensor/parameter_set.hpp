// ParameterSet: named tensors, one after the other in one arena, so that they can be zeroed, summed, clipped, updated
// and saved as one flat row of numbers. What is trained is such a set, and so are its gradients and an optimiser's
// moments.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "lib/base/arena.hpp"
#include "lib/base/real.hpp"
#include "lib/base/view.hpp"

namespace cria {

class ParameterSet {
 public:
  /// A matrix, or a vector: of that the second number is not used.
  struct Tensor {
    std::string name;
    Shape<2> shape;
    size_t axes = 2;

    Tensor(std::string of, const Shape<2>& matrix) : name(std::move(of)), shape(matrix) {}
    Tensor(std::string of, const Shape<1>& vector) : name(std::move(of)), shape{vector[0], 1}, axes(1) {}
  };

  ParameterSet() = default;
  /// Zeros.
  explicit ParameterSet(std::vector<Tensor> layout);

  const std::vector<Tensor>& layout() const { return layout_; }
  std::span<real> flat() const { return arena_.span(); }
  /// Some of the numbers, in the order in which they are stored.
  View<real, 1> flat(Range numbers) const { return View<real, 1>(flat(), {flat().size()}).part(numbers); }

  /// Calls visit(name, view) for every tensor, in the order of the layout.
  template <class Visit>
  void for_each(Visit&& visit) const {
    real* at = flat().data();
    for (const Tensor& tensor : layout_) {
      if (tensor.axes == 1)
        visit(tensor.name, View<real, 1>(at, {tensor.shape[0]}));
      else
        visit(tensor.name, View<real, 2>(at, tensor.shape));
      at += element_count(tensor.shape);
    }
  }

 private:
  std::vector<Tensor> layout_;
  Arena<real> arena_;
};

}  // namespace cria
