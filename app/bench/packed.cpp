// Prompts, batches of a few tokens and single tokens, with weights that run as a file stores them.
#include <algorithm>
#include <cmath>

#include "app/bench/inference.hpp"
#include "chapters/12-open-weights/packed_model.hpp"
#include "lib/formats/encode.hpp"
#include "lib/formats/pack_row.hpp"

namespace cria::bench {
namespace {

size_t weight_bytes(const LlamaConfig& config, ElementType type) {
  LlamaTensors<real> none;
  none.layers.resize(config.layers);
  size_t bytes = 0;
  for_each_parameter(config, none,
                     [&](const std::string&, auto shape, auto&) { bytes += packed_tensor_bytes(type, shape); });
  return bytes;
}

/// Numbers of at most about `size`, of any code.
simd::BlockParts random_block(const simd::BlockForm& form, double size, Random& random) {
  constexpr std::int8_t whole = 32;
  simd::BlockParts block;
  for (std::uint8_t& code : std::span(block.codes).first(form.numbers))
    code = static_cast<std::uint8_t>(random.below(1u << form.bits));
  std::ranges::fill(block.scales, whole);
  std::ranges::fill(block.minima, whole);
  const double unit = is_super(form) ? size / whole : size;
  block.scale = float_to_half(float(unit / (form.has_levels ? 127 : 1 << (form.bits - 1))));
  block.minimum = float_to_half(float(-unit));
  return block;
}

/// Uniform numbers of the size of random_weights', in the type, in memory of their own.
std::shared_ptr<const LlamaWeights> packed_weights(const LlamaConfig& config, ElementType type) {
  const auto memory = std::make_shared<ZeroedBlock>(weight_bytes(config, type));
  auto* free = static_cast<std::byte*>(memory->data());
  const auto made = std::make_shared<LlamaWeights>(LlamaWeights{config, {}, memory});
  made->tensors.layers.resize(config.layers);
  Random random(1);
  const double scale = 1.7 / std::sqrt(double(config.dim));
  const auto fill = [&](std::span<real> numbers) {
    for (real& x : numbers) x = static_cast<real>(scale * (2 * random.uniform() - 1));
  };
  for_each_parameter(config, made->tensors, [&]<size_t N>(const std::string&, const Shape<N>& shape, auto& to) {
    const View<real, N> numbers(reinterpret_cast<real*>(free), shape);
    if constexpr (N == 1) {
      fill(numbers.span());
      to = numbers;
    } else if (const auto packed = packed_type(type)) {
      std::vector<real> row(shape[1]);
      for (size_t i = 0; i < shape[0]; ++i) {
        const simd::BlockForm form = simd::block_form(*packed);
        for (size_t column = 0; simd::in_blocks(*packed) && column < shape[1]; column += form.numbers)
          simd::pack_block(*packed, random_block(form, scale, random), shape[1], i, column, free);
        if (simd::in_blocks(*packed)) continue;
        fill(row);
        std::string stored;
        encode_elements(type, row, stored);
        pack_row(type, reinterpret_cast<const std::byte*>(stored.data()), shape[1], i, free);
      }
      to = Weight(simd::PackedRows{*packed, free, 0, shape[0], shape[1]});
    } else {
      fill(numbers.span());
      to = Weight(numbers);
    }
    free += packed_tensor_bytes(type, shape);
  });
  if (config.tied_embeddings) made->tensors.head = made->tensors.embedding;
  return made;
}

}  // namespace

std::vector<Case> packed_cases(const Setting& setting) {
  std::vector<Case> cases;
  for (const ElementType type : setting.types)
    for (const NamedConfig& s : measured_configs(setting)) {
      const size_t block = type_layout(type).numbers;
      if (s.config.dim % block != 0 || s.config.hidden_dim % block != 0) continue;  // rows are no whole number of them
      const StoredType stored = {std::string(type_layout(type).name), weight_bytes(s.config, type), block > 1};
      add_feeding(
          setting, s, stored, {prompt_tokens, 16, 8, 4, 2, 1}, [=] { return packed_weights(s.config, type); }, cases);
    }
  return cases;
}

}  // namespace cria::bench
