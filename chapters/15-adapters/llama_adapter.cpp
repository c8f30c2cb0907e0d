// Chapter 15, LLaMA-Adapter: what a model's layers are given. It leaves out files (llama_adapter_files.cpp).
#include "chapters/15-adapters/llama_adapter.hpp"

#include <fmt/format.h>

#include <memory>

#include "lib/base/check.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {
namespace {

LlamaAdapterOptions checked(const LlamaConfig& config, LlamaAdapterOptions options) {
  if (options.version != 1 && options.version != 2)
    throw UserError(fmt::format("the version is {}, expected 1 or 2", options.version));
  if (options.version == 2 && options.gate == GateKind::layer)
    throw UserError("one gate for a layer is PEFT's form, which has no version 2; expected a gate for each head");
  if (options.prompt == 0) throw UserError("the prompt has 0 vectors, expected at least 1");
  if (options.prompt > config.context)
    throw UserError(fmt::format("the prompt has {} vectors, expected at most {}, the model's context", options.prompt,
                                config.context));
  if (options.layers > config.layers)
    throw UserError(
        fmt::format("the adapter is in the last {} layers, but the model has {}", options.layers, config.layers));
  if (options.layers == 0) options.layers = config.layers;
  return options;
}

/// Calls norm(name, tensor) for every norm, and linear(module, shape, tensor) for every matrix of the decoder layers.
template <class Tensors, class Norm, class Linear>
void for_each_tuned(const LlamaConfig& config, Tensors& tensors, Norm&& norm, Linear&& linear) {
  for_each_parameter(config, tensors, [&]<size_t N>(const std::string& name, const Shape<N>& shape, auto& tensor) {
    if constexpr (N == 1)
      norm(name, tensor);
    else if (name.starts_with("model.layers."))
      linear(name.substr(0, name.rfind('.')), shape, tensor);
  });
}

constexpr const char *of_prompt = "adaption_prompt", *of_gate = "adaption_gate", *of_scale = "adapter_scale",
                     *of_bias = "adapter_bias";

std::vector<ParameterSet::Tensor> layout_of(const LlamaConfig& config, const LlamaAdapterOptions& given) {
  const LlamaAdapterOptions options = checked(config, given);
  const std::string prefix = "base_model.model.";
  std::vector<ParameterSet::Tensor> tensors;
  for (size_t i = config.layers - options.layers; i < config.layers; ++i) {
    const std::string name = fmt::format("{}model.layers.{}.self_attn.", prefix, i);
    tensors.emplace_back(name + of_prompt, Shape<2>{options.prompt, config.dim});
    tensors.emplace_back(name + of_gate, Shape<1>{options.gate == GateKind::head ? config.heads : 1});
  }
  if (options.version == 1) return tensors;
  LlamaTensors<real> none;
  none.layers.resize(config.layers);
  for_each_tuned(
      config, none,
      [&](const std::string& name, const auto&) { tensors.emplace_back(prefix + name, Shape<1>{config.dim}); },
      [&](const std::string& module, const Shape<2>& shape, const auto&) {
        tensors.emplace_back(fmt::format("{}{}.{}", prefix, module, of_scale), Shape<1>{shape[1]});
        tensors.emplace_back(fmt::format("{}{}.{}", prefix, module, of_bias), Shape<1>{shape[0]});
      });
  return tensors;
}

LlamaAdapterParts parts_of(const ParameterSet& numbers) {
  LlamaAdapterParts parts;
  numbers.for_each([&]<size_t N>(const std::string& name, const View<real, N>& view) {
    if constexpr (N == 2)
      parts.prefixes.push_back({view, {}});
    else if (name.ends_with(of_gate))
      parts.prefixes.back().gate = view;
    else if (name.ends_with(of_scale))
      parts.linears.push_back({view, {}});
    else if (name.ends_with(of_bias))
      parts.linears.back().bias = view;
    else
      parts.norms.push_back(view);
  });
  return parts;
}

/// Empty views, where nothing is learned.
LlamaAdapterParts no_parts(const LlamaAdapterParts& like) {
  return {std::vector<GatedPrefix<real>>(like.prefixes.size()), std::vector<View<real, 1>>(like.norms.size()),
          std::vector<ScaleAndBias<real>>(like.linears.size())};
}

// The additions of one model or lane, and what its base's weights need.
struct AdapterAttached {
  std::shared_ptr<const void> base;
  std::vector<PrefixAddition> prefixes;
  std::vector<ScaleAndBiasAddition> linears;
};

LlamaWeights attach(const LlamaAdapter& adapter, const LlamaWeights& base, const LlamaAdapterParts& gradients) {
  const LlamaAdapterParts& parts = adapter.parts();
  const auto attached = std::make_shared<AdapterAttached>(AdapterAttached{base.memory, {}, {}});
  attached->prefixes.reserve(parts.prefixes.size());
  attached->linears.reserve(parts.linears.size());
  LlamaWeights weights = base;
  weights.memory = attached;
  size_t norms = 0;
  if (adapter.options().version == 2)
    for_each_tuned(
        adapter.config(), weights.tensors,
        [&](const std::string&, View<const real, 1>& norm) { norm = parts.norms[norms++]; },
        [&](const std::string&, const Shape<2>&, Weight& weight) {
          const size_t i = attached->linears.size();
          const ScaleAndBias<const real> numbers{parts.linears[i].scale, parts.linears[i].bias};
          attached->linears.emplace_back(numbers, gradients.linears[i]);
          weight = weight.with(attached->linears.back());
        });
  // Behind that, as a prefix's keys and values are formed as those of the text are.
  for (size_t i = 0; i < parts.prefixes.size(); ++i) {
    auto& layer = weights.tensors.layers[adapter.config().layers - parts.prefixes.size() + i];
    if (layer.key.shape(0) == 0) continue;  // this process has other layers
    const GatedPrefix<const real> prefix{parts.prefixes[i].prompt, parts.prefixes[i].gate};
    attached->prefixes.emplace_back(adapter.config(), prefix, adapter.options().gate, layer.key, layer.value,
                                    gradients.prefixes[i]);
    layer.addition = &attached->prefixes.back();
  }
  return weights;
}

}  // namespace

LlamaAdapter::LlamaAdapter(const LlamaConfig& config, const LlamaAdapterOptions& options)
    : ParameterSet(layout_of(config, options)),
      config_(config),
      options_(checked(config, options)),
      parts_(parts_of(*this)) {}

LlamaWeights LlamaAdapter::attached_to(const LlamaWeights& base) const { return attach(*this, base, no_parts(parts_)); }

Trainable LlamaAdapter::over(const LlamaWeights& base) const {
  return {*this, [this, &base](const ParameterSet& set) {
            const LlamaAdapterParts gradients = parts_of(set);
            LaneModel lane{attach(*this, base, gradients), {}};
            lane.gradients.layers.resize(config_.layers);
            size_t norms = 0;
            if (options_.version == 2)
              for_each_tuned(
                  config_, lane.gradients,
                  [&](const std::string&, View<real, 1>& norm) { norm = gradients.norms[norms++]; },
                  [](const std::string&, const Shape<2>&, const View<real, 2>&) {});
            return lane;
          }};
}

void initialise(const LlamaAdapter& adapter, const LlamaWeights& base, Random& random) {
  const LlamaAdapterParts& parts = adapter.parts();
  for (const GatedPrefix<real>& prefix : parts.prefixes) {
    // solution: initialise_prefix
    for (real& value : prefix.prompt.span()) value = real(random.normal());
    noalias(prefix.gate) = 0;
    // end of solution
  }
  for (const ScaleAndBias<real>& linear : parts.linears) {
    // solution: initialise_scale_and_bias
    noalias(linear.scale) = 1;
    noalias(linear.bias) = 0;
    // end of solution
  }
  if (parts.norms.empty()) return;
  size_t norms = 0;
  for_each_tuned(
      adapter.config(), base.tensors,
      [&](const std::string&, const View<const real, 1>& norm) { noalias(parts.norms[norms++]) = norm; },
      [](const std::string&, const Shape<2>&, const Weight&) {});
}

}  // namespace cria
