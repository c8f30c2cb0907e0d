#include "chapters/12-open-weights/packed_model.hpp"

#include <functional>
#include <numeric>

#include "chapters/04-rope/rope.hpp"
#include "chapters/12-open-weights/gguf_model.hpp"
#include "chapters/12-open-weights/open_model.hpp"
#include "chapters/12-open-weights/stored_parameters.hpp"
#include "lib/base/arena.hpp"
#include "lib/formats/pack_row.hpp"

namespace cria {
namespace {

size_t bytes_of(const GgufFile& file, const LlamaConfig& config) {
  LlamaTensors<real> none;
  none.layers.resize(config.layers);
  size_t bytes = 0;
  for_each_parameter(config, none, [&](const std::string& name, auto shape, auto&) {
    bytes += packed_tensor_bytes(file.tensors().at(parameter_name(name).gguf).type, shape);
  });
  return bytes;
}

// Which row of the file each row of a query or key is: its rows have RoPE's pairs side by side there, and their numbers
// are permuted as they would be.
std::vector<size_t> stored_rows(size_t rows, size_t head_dim) {
  std::vector<real> numbers(rows), permuted(rows);
  std::iota(numbers.begin(), numbers.end(), real(0));
  rope_permute_rows(View<real, 2>(numbers, {rows, 1}), head_dim, RopePairing::interleaved,
                    View<real, 2>(permuted, {rows, 1}));
  return {permuted.begin(), permuted.end()};
}

Weight read_packed(const StoredTensor& tensor, const ParameterName& name, size_t head_dim, std::byte* to) {
  const size_t rows = tensor.shape[0], columns = tensor.shape[1], row_bytes = tensor.bytes.size() / rows;
  const auto stored = name.has_pairs ? stored_rows(rows, head_dim) : std::vector<size_t>();
  for (size_t row = 0; row < rows; ++row) {
    const size_t from = name.has_pairs ? stored[row] : row;
    pack_row(tensor.type, tensor.bytes.data() + from * row_bytes, columns, row, to);
  }
  return Weight(simd::PackedRows{*packed_type(tensor.type), to, 0, rows, columns});
}

LlamaWeights read_weights(const GgufFile& file, const LlamaConfig& config) {
  const auto memory = std::make_shared<ZeroedBlock>(bytes_of(file, config));
  auto* free = static_cast<std::byte*>(memory->data());
  LlamaWeights weights{config, {}, memory};
  weights.tensors.layers.resize(config.layers);
  for_each_parameter(config, weights.tensors, [&]<size_t N>(const std::string& hf, const Shape<N>& shape, auto& to) {
    const ParameterName name = parameter_name(hf);
    const StoredTensor& tensor = file.tensors().at(name.gguf);
    const View<real, N> numbers(reinterpret_cast<real*>(free), shape);
    const auto copy = [&](std::span<real> values) { file.copy_to(name.gguf, shape, values); };
    if constexpr (N == 1) {
      copy(numbers.span());
      to = numbers;
    } else if (packed_type(tensor.type)) {
      to = read_packed(tensor, name, config.head_dim, free);
      file.release(tensor);
    } else {
      name.has_pairs ? read_interleaved(numbers, config, copy) : copy(numbers.span());
      to = Weight(numbers);
    }
    free += packed_tensor_bytes(tensor.type, shape);
  });
  if (config.tied_embeddings) weights.tensors.head = weights.tensors.embedding;
  return weights;
}

}  // namespace

size_t packed_tensor_bytes(ElementType stored, std::span<const size_t> shape) {
  constexpr size_t line = 64;
  const auto type = shape.size() == 2 ? packed_type(stored) : std::nullopt;
  const size_t count = std::accumulate(shape.begin(), shape.end(), size_t{1}, std::multiplies<>());
  const size_t bytes = type ? simd::packed_bytes(*type, shape[0], shape[1]) : count * sizeof(real);
  return (bytes + line - 1) / line * line;
}

PackedModel open_packed_model(const std::filesystem::path& path, const std::filesystem::path& tokenizer) {
  if (std::filesystem::is_regular_file(path) && is_gguf(path)) {
    const GgufFile file(path);
    ModelConfig config = gguf_config(file);
    std::unique_ptr<Tokenizer> text = gguf_tokenizer(file);
    replace_tokenizer(path, tokenizer, config, text);
    LlamaWeights weights = read_weights(file, config.llama);
    return {std::move(config), std::move(weights), std::move(text)};
  }
  Model model = open_model(path, tokenizer);
  const auto parameters = std::make_shared<const LlamaParameters>(std::move(model.weights));
  LlamaWeights weights = *parameters;
  weights.memory = parameters;
  return {std::move(model.config), std::move(weights), std::move(model.tokenizer)};
}

size_t packed_weight_bytes(const std::filesystem::path& path) {
  if (std::filesystem::is_regular_file(path) && is_gguf(path)) {
    const GgufFile file(path);
    return bytes_of(file, gguf_config(file).llama);
  }
  return parameter_count(open_config(path).llama) * sizeof(real);
}

}  // namespace cria
