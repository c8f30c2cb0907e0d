#include "chapters/12-open-weights/tensor_names.hpp"

#include <fmt/format.h>

#include "lib/base/check.hpp"

namespace cria {

ParameterName parameter_name(std::string_view hugging_face) {
  constexpr std::string_view layers = "model.layers.", end = ".weight";
  const std::string whole(hugging_face);
  if (hugging_face.ends_with(end)) {
    std::string_view name = hugging_face.substr(0, hugging_face.size() - end.size());
    std::string_view layer;
    std::span<const TensorName> names = model_tensor_names;
    if (name.starts_with(layers)) {
      name.remove_prefix(layers.size());
      const size_t dot = name.find('.');
      layer = name.substr(0, dot), name.remove_prefix(std::min(name.size(), dot + 1));
      names = layer_tensor_names;
    }
    for (const TensorName& known : names) {
      if (known.hugging_face != name) continue;
      if (layer.empty())
        return {whole, fmt::format("{}.weight", known.gguf), fmt::format("{}.weight", known.meta), known.cut, false};
      return {whole, fmt::format("blk.{}.{}.weight", layer, known.gguf),
              fmt::format("layers.{}.{}.weight", layer, known.meta), known.cut, known.has_pairs};
    }
  }
  throw ContractError(fmt::format("no Llama has a tensor {}", hugging_face));
}

}  // namespace cria
