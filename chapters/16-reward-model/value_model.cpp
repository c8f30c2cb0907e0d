// Chapter 16, the parameters of a value model. It leaves out running it: value_evaluator.cpp.
#include "chapters/16-reward-model/value_model.hpp"

#include <algorithm>
#include <cmath>

#include "chapters/16-reward-model/value_evaluator.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {
namespace {

/// Whose parameters are the body alone: a tied head is not stored.
LlamaConfig without_head(LlamaConfig config) {
  config.tied_embeddings = true;
  return config;
}

std::vector<ParameterSet::Tensor> layout_of(const LlamaConfig& body) {
  std::vector<ParameterSet::Tensor> tensors = llama_layout(body);
  tensors.emplace_back("score.weight", Shape<2>{1, body.dim});
  tensors.emplace_back("score.bias", Shape<1>{1});
  return tensors;
}

View<real, 2> head_in(const LlamaConfig& body, const ParameterSet& parameters) {
  const size_t end = parameters.flat().size() - 1;
  return parameters.flat({end - body.dim, end}).reshape(Shape<2>{1, body.dim});
}
View<real, 1> bias_in(const ParameterSet& parameters) {
  const size_t end = parameters.flat().size();
  return parameters.flat({end - 1, end});
}

/// A number that is added to every value.
class Bias : public Addition {
 public:
  /// `d_bias` is empty where nothing is learned.
  Bias(View<const real, 1> bias, View<real, 1> d_bias) : bias_(bias), d_bias_(d_bias) {}

  void forward(View<const real, 2>, Range outputs, View<real, 2> y) const override {
    noalias(y) += bias_.part(outputs);
  }
  void backward(View<const real, 2> d_y, View<const real, 2>, View<real, 2>) const override {
    if (d_bias_.empty()) return;
    // solution: bias_gradient
    // Each value has the bias in it.
    for (size_t n = 0; n < d_y.shape(0); ++n) noalias(d_bias_) += d_y[n];
    // end of solution
  }

 private:
  View<const real, 1> bias_;
  View<real, 1> d_bias_;
};

LlamaWeights weights_of(const LlamaConfig& body, const ParameterSet& parameters, View<real, 1> d_bias) {
  LlamaWeights weights = read_only(body, tensors_in(body, parameters));
  const auto bias = std::make_shared<Bias>(bias_in(parameters), d_bias);
  weights.tensors.head = Weight(head_in(body, parameters)).with(*bias);
  weights.memory = bias;
  return weights;
}

}  // namespace

ValueModel::ValueModel(const LlamaConfig& config)
    : ParameterSet(layout_of(without_head(config))),
      config_(without_head(config)),
      head_(head_in(config_, *this)),
      bias_(bias_in(*this)),
      weights_(weights_of(config_, *this, {})) {}

ValueModel::ValueModel(const LlamaParameters& base) : ValueModel(base.config()) {
  const size_t body = flat().size() - config_.dim - 1;
  std::copy_n(base.flat().begin(), body, flat().begin());
}

Trainable ValueModel::trainable() const {
  const auto lane = [this](const ParameterSet& gradients) {
    LaneModel model{weights_of(config_, *this, bias_in(gradients)), tensors_in(config_, gradients)};
    model.gradients.head = head_in(config_, gradients);
    return model;
  };
  const auto evaluator = [this](size_t sequences, size_t positions) {
    return std::make_unique<ValueEvaluator>(config_, sequences, positions, true);
  };
  return {*this, lane, evaluator};
}

void initialise_head(const ValueModel& model, Random& random) {
  // solution: initialise_head
  const double deviation = 1 / std::sqrt(double(model.config().dim + 1));
  for (real& weight : model.head().span()) weight = real(deviation * random.normal());
  model.bias() = 0;
  // end of solution
}

}  // namespace cria
