#include "lib/tensor/parameter_set.hpp"

namespace cria {

static size_t count(const std::vector<ParameterSet::Tensor>& layout) {
  size_t numbers = 0;
  for (const ParameterSet::Tensor& tensor : layout) numbers += element_count(tensor.shape);
  return numbers;
}

ParameterSet::ParameterSet(std::vector<Tensor> layout) : layout_(std::move(layout)), arena_(count(layout_)) {
  for (const Tensor& tensor : layout_) arena_.take(tensor.shape);
}

}  // namespace cria
