#include "chapters/12-open-weights/weight_bytes.hpp"

#include "chapters/08-llama/parameters.hpp"

namespace cria {
namespace {

template <class Wanted>
size_t bytes_of(const LlamaConfig& config, ElementType type, Wanted&& wanted) {
  LlamaTensors<real> none;
  none.layers.resize(config.layers);
  size_t bytes = 0;
  for_each_parameter(config, none, [&](const std::string& name, auto shape, auto&) {
    if (!wanted(name)) return;
    bytes += *tensor_bytes(shape, shape.size() == 1 ? ElementType::f32 : fitting_type(shape.back(), type));
  });
  return bytes;
}

}  // namespace

size_t weight_bytes(const LlamaConfig& config, ElementType type) {
  return bytes_of(config, type, [](const std::string&) { return true; });
}

size_t weight_bytes_read(const LlamaConfig& config, ElementType type) {
  return bytes_of(config, type, [&](const std::string& name) {
    return config.tied_embeddings || name.find("embed_tokens") == name.npos;
  });
}

}  // namespace cria
