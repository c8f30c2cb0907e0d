#include "chapters/08-llama/parameters.hpp"

#include <cmath>

namespace cria {

size_t parameter_count(const LlamaConfig& config) {
  LlamaTensors<real> none;
  none.layers.resize(config.layers);
  size_t count = 0;
  for_each_parameter(config, none, [&](const std::string&, auto shape, auto&) { count += element_count(shape); });
  return count;
}

LlamaParameters::LlamaParameters(const LlamaConfig& config) : config_((config.validate(), config)), arena_(parameter_count(config)) {
  tensors_.layers.resize(config.layers);
  for_each_parameter(config_, tensors_, [&](const std::string&, auto shape, auto& view) { view = arena_.take(shape); });
  if (config_.tied_embeddings) tensors_.head = tensors_.embedding;
}

void initialise(const LlamaParameters& weights, Random& random) {
  const real into_residual = real(0.02 / std::sqrt(2.0 * weights.config().layers));
  weights.for_each([&](const std::string& name, const auto& view) {
    const bool is_norm = view.shape().size() == 1;
    const bool writes_residual = name.find("o_proj") != name.npos || name.find("down_proj") != name.npos;
    const real deviation = writes_residual ? into_residual : real(0.02);
    for (real& value : view.span()) value = is_norm ? real(1) : deviation * static_cast<real>(random.normal());
  });
}

}  // namespace cria
