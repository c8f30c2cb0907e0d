// Chapter 15, LoRA: the adapted layers of a model. It leaves out files (peft_files.cpp) and merging (merge.cpp).
#include "chapters/15-adapters/lora.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "chapters/15-adapters/low_rank_addition.hpp"
#include "lib/base/check.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {
namespace {

/// Calls visit(module, shape, weight) for every matrix that a product is formed with; a tied head is one as well.
template <class Visit>
void for_each_linear(const LlamaConfig& c, LlamaTensors<const real, Weight>& tensors, Visit&& visit) {
  for_each_parameter(c, tensors, [&]<size_t N>(const std::string& name, const Shape<N>& shape, auto& tensor) {
    if constexpr (N == 2)
      if (name != "model.embed_tokens.weight") visit(name.substr(0, name.rfind('.')), shape, tensor);
  });
  if (c.tied_embeddings) visit(std::string("lm_head"), Shape<2>{c.vocabulary_size, c.dim}, tensors.head);
}

template <class Visit>
void for_each_linear(const LlamaConfig& config, Visit&& visit) {
  LlamaTensors<const real, Weight> none;
  none.layers.resize(config.layers);
  for_each_linear(config, none, visit);
}

std::string last_part(const std::string& module) { return module.substr(module.rfind('.') + 1); }

std::vector<ParameterSet::Tensor> layout(const LlamaConfig& config, const LoraOptions& options,
                                         const std::function<bool(const std::string&)>& adapts) {
  if (options.rank == 0) throw UserError("the rank is 0, expected at least 1");
  if (!(options.alpha > 0) || !std::isfinite(options.alpha))
    throw UserError(fmt::format("alpha is {}, expected more than 0", options.alpha));
  if (!(options.dropout >= 0 && options.dropout < 1))
    throw UserError(fmt::format("dropout is {}, expected 0 or more, and less than 1", options.dropout));
  std::vector<ParameterSet::Tensor> tensors;
  for_each_linear(config, [&](const std::string& module, const Shape<2>& shape, const Weight&) {
    if (!adapts(module)) return;
    if (options.rank > std::min(shape[0], shape[1]))
      throw UserError(fmt::format("the rank is {}, expected at most {}, as {} is ({}, {})", options.rank,
                                  std::min(shape[0], shape[1]), module, shape[0], shape[1]));
    const std::string name = "base_model.model." + module;
    tensors.emplace_back(name + ".lora_A.weight", Shape<2>{options.rank, shape[1]});
    tensors.emplace_back(name + ".lora_B.weight", Shape<2>{shape[0], options.rank});
  });
  if (tensors.empty()) throw UserError("the adapter has no target, expected at least one linear layer");
  return tensors;
}

std::function<bool(const std::string&)> by_targets(const LlamaConfig& config, const LoraOptions& options) {
  std::vector<std::string> known;
  for (const std::string& module : linear_modules(config))
    if (const std::string part = last_part(module); !std::ranges::count(known, part)) known.push_back(part);
  for (const std::string& target : options.targets)
    if (!std::ranges::count(known, target))
      throw UserError(
          fmt::format("there is no linear layer {}, expected some of {}", in_quotes(target), fmt::join(known, ", ")));
  return [targets = options.targets](const std::string& module) {
    return std::ranges::count(targets, last_part(module)) > 0;
  };
}

// The additions of one model or lane, and what its base's weights need.
struct Attached {
  std::shared_ptr<const void> base;
  std::shared_ptr<const Noise> noise;
  std::vector<LowRankAddition> additions;
};

LlamaWeights attach(const Lora& lora, const LlamaWeights& base, const ParameterSet* gradients,
                    std::shared_ptr<const Noise> noise) {
  const auto attached = std::make_shared<Attached>(Attached{base.memory, std::move(noise), {}});
  attached->additions.reserve(lora.linears().size());
  size_t begin = 0;
  const auto next = [&](const View<real, 2>& like) {
    const Range numbers = {begin, begin + like.size()};
    begin = numbers.end;
    return gradients ? gradients->flat(numbers).reshape(like.shape()) : View<real, 2>();
  };
  const real scale = real(lora_scale(lora.options()));
  LlamaWeights weights = base;
  weights.memory = attached;
  auto linear = lora.linears().begin();
  for_each_linear(lora.config(), weights.tensors, [&](const std::string& module, const Shape<2>&, Weight& weight) {
    if (linear == lora.linears().end() || linear->module != module) return;
    const View<real, 2> d_a = next(linear->a), d_b = next(linear->b);
    const size_t number = attached->additions.size();
    attached->additions.emplace_back(linear->a, linear->b, scale, d_a, d_b, attached->noise.get(), number);
    weight = weight.with(attached->additions.back());
    ++linear;
  });
  return weights;
}

}  // namespace

double lora_scale(const LoraOptions& options) {
  const double alpha = options.alpha, R = double(options.rank);
  // solution: lora_scale
  return options.rank_stabilised ? alpha / std::sqrt(R) : alpha / R;
  // end of solution
}

std::vector<std::string> linear_modules(const LlamaConfig& config) {
  std::vector<std::string> modules;
  for_each_linear(config,
                  [&](const std::string& module, const Shape<2>&, const Weight&) { modules.push_back(module); });
  return modules;
}

Lora::Lora(const LlamaConfig& config, const LoraOptions& options)
    : Lora(config, options, by_targets(config, options)) {}

Lora::Lora(const LlamaConfig& config, const LoraOptions& options,
           const std::function<bool(const std::string& module)>& adapts)
    : ParameterSet(cria::layout(config, options, adapts)), config_(config), options_(options) {
  size_t begin = 0;
  const auto take = [&](const Shape<2>& shape) {
    const Range numbers = {begin, begin + element_count(shape)};
    begin = numbers.end;
    return flat(numbers).reshape(shape);
  };
  for_each_linear(config, [&](const std::string& module, const Shape<2>& shape, const Weight&) {
    if (!adapts(module)) return;
    const View<real, 2> a = take({options.rank, shape[1]}), b = take({shape[0], options.rank});
    linears_.push_back({module, shape, a, b});
  });
}

LlamaWeights Lora::attached_to(const LlamaWeights& base) const { return attach(*this, base, nullptr, nullptr); }

Trainable Lora::over(const LlamaWeights& base) const {
  return {*this, [this, &base](const ParameterSet& gradients) {
            const auto noise = std::make_shared<Noise>(Noise{options_.dropout, {}});
            LaneModel lane{attach(*this, base, &gradients, noise), {}};
            lane.gradients.layers.resize(config_.layers);
            if (options_.dropout > 0)
              lane.draw_from = [this, noise](std::optional<std::uint64_t> seed) {
                noise->seed.reset();
                if (seed) noise->seed = Random(options_.seed + *seed).state();
              };
            return lane;
          }};
}

void initialise(const Lora& lora, Random& random) {
  for (const AdaptedLinear& linear : lora.linears()) {
    const size_t K = linear.a.shape(1);
    // solution: initialise_lora
    const double bound = 1 / std::sqrt(double(K));
    for (real& value : linear.a.span()) value = real(bound * (2 * random.uniform() - 1));
    noalias(linear.b) = 0;
    // end of solution
  }
}

}  // namespace cria
