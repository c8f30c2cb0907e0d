#include "chapters/08-llama/parameters.hpp"

#include <cmath>

#include "lib/tensor/tensor.hpp"

namespace cria {

ParameterCounts count_parameters(const LlamaConfig& config) {
  LlamaTensors<real> none;
  none.layers.resize(config.layers);
  ParameterCounts counts;
  for_each_parameter(config, none, [&](const std::string& name, auto shape, auto&) {
    const auto is_of = [&](const char* part) { return name.find(part) != name.npos; };
    size_t& count = is_of("embed_tokens") ? counts.embedding
                    : is_of("self_attn")  ? counts.attention
                    : is_of("mlp")        ? counts.feed_forward
                    : is_of("norm")       ? counts.norms
                                          : counts.head;
    count += element_count(shape);
  });
  return counts;
}

size_t parameter_count(const LlamaConfig& config) { return count_parameters(config).total(); }

std::vector<ParameterSet::Tensor> llama_layout(const LlamaConfig& config) {
  config.validate();
  LlamaTensors<real> none;
  none.layers.resize(config.layers);
  std::vector<ParameterSet::Tensor> tensors;
  for_each_parameter(config, none,
                     [&](const std::string& name, auto shape, auto&) { tensors.emplace_back(name, shape); });
  return tensors;
}

LlamaTensors<real> tensors_in(const LlamaConfig& config, const ParameterSet& parameters) {
  LlamaTensors<real> tensors;
  tensors.layers.resize(config.layers);
  size_t begin = 0;
  for_each_parameter(config, tensors, [&](const std::string&, auto shape, auto& view) {
    const Range numbers = {begin, begin + element_count(shape)};
    view = parameters.flat(numbers).reshape(shape);
    begin = numbers.end;
  });
  if (config.tied_embeddings) tensors.head = tensors.embedding;
  return tensors;
}

// In the order of for_each_parameter, so that this is no second list of them.
LlamaWeights read_only(const LlamaConfig& config, const LlamaTensors<real>& tensors) {
  std::vector<View<const real, 1>> norms;
  std::vector<Weight> matrices;
  const auto collect = [&]<size_t N>(const std::string&, auto, const View<real, N>& view) {
    if constexpr (N == 1)
      norms.push_back(view);
    else
      matrices.push_back(Weight(view));
  };
  for_each_parameter(config, tensors, collect);
  LlamaWeights weights{config, {}};
  weights.tensors.layers.resize(config.layers);
  auto norm = norms.begin();
  auto matrix = matrices.begin();
  for_each_parameter(config, weights.tensors, [&](const std::string&, auto shape, auto& to) {
    if constexpr (shape.size() == 1)
      to = *norm++;
    else
      to = *matrix++;
  });
  if (config.tied_embeddings) weights.tensors.head = weights.tensors.embedding;
  return weights;
}

LlamaParameters::LlamaParameters(const LlamaConfig& config)
    : ParameterSet(llama_layout(config)),
      config_(config),
      tensors_(tensors_in(config, *this)),
      read_only_(read_only(config_, tensors_)) {}

void initialise(const LlamaParameters& weights, Random& random) {
  const LlamaConfig& config = weights.config();
  weights.for_each([&](const std::string& name, const auto& view) {
    if (view.shape().size() == 1) {
      noalias(view) = 1;
      return;
    }
    const bool writes_residual = name.find("o_proj") != name.npos || name.find("down_proj") != name.npos;
    const bool is_embedding = name.find("embed_tokens") != name.npos;
    double deviation = is_embedding ? 0.05 : 1 / std::sqrt(double(view.shape().back()));
    if (writes_residual) deviation /= std::sqrt(2.0 * double(config.layers));
    for (real& value : view.span()) value = static_cast<real>(deviation * random.normal());
  });
}

}  // namespace cria
