#include "chapters/12-open-weights/packed_model.hpp"

#include <algorithm>
#include <functional>
#include <numeric>

#include "chapters/04-rope/rope.hpp"
#include "chapters/12-open-weights/gguf_model.hpp"
#include "chapters/12-open-weights/open_model.hpp"
#include "chapters/12-open-weights/stored_parameters.hpp"
#include "lib/base/arena.hpp"
#include "lib/base/cpus.hpp"
#include "lib/base/thread_pool.hpp"
#include "lib/formats/pack_row.hpp"

namespace cria {
namespace {

namespace fs = std::filesystem;

/// A model's tensors as they lie in its files, by the names of parameters, and what belongs to them.
struct Source {
  ModelConfig config;
  std::function<const StoredTensor*(const std::string& name)> tensor;
  std::function<void(const StoredTensor& tensor, std::span<const size_t> shape, std::span<real> values)> copy;
  std::function<void(const StoredTensor& tensor)> release;
  std::function<std::unique_ptr<Tokenizer>()> tokenizer;  // null when there is none
  bool has_pairs;                                         // rows of queries and keys have RoPE's pairs side by side
};

Source source_of(const std::shared_ptr<const GgufFile>& file) {
  return {
      .config = gguf_config(*file),
      .tensor = [file](const std::string& name) { return &file->tensors().at(parameter_name(name).gguf); },
      .copy = [file](const StoredTensor& t, auto shape, auto values) { file->copy_to(t.name, shape, values); },
      .release = [file](const StoredTensor& tensor) { file->release(tensor); },
      .tokenizer = [file] { return gguf_tokenizer(*file); },
      .has_pairs = true,
  };
}

Source source_of(const fs::path& folder, const ModelConfig& config) {
  const auto stored = std::make_shared<const StoredWeights>(folder);
  stored->require_fit(config.llama);
  return {
      .config = config,
      .tensor = [=](const std::string& name) { return &stored->tensor(config.llama, name); },
      .copy = [=](const StoredTensor& t, auto shape, auto values) { stored->copy_to(t, shape, values); },
      .release = [=](const StoredTensor& tensor) { stored->release(tensor); },
      .tokenizer = [=] { return load_folder_tokenizer(folder); },
      .has_pairs = false,
  };
}

bool is_gguf_file(const fs::path& path) { return fs::is_regular_file(path) && is_gguf(path); }

/// Of a folder of Hugging Face's whose weights are numbers.
std::optional<ModelConfig> folder_of_numbers(const fs::path& path) {
  if (!fs::exists(path / "config.json") || fs::exists(path / "params.json")) return std::nullopt;
  FolderConfig config = read_folder_config(path);
  return config.quantisation ? std::nullopt : std::optional(std::move(config.model));
}

/// What the weights take, of the type that each parameter has.
template <class TypeOf>
size_t bytes_of(const LlamaConfig& config, TypeOf type_of) {
  LlamaTensors<real> none;
  none.layers.resize(config.layers);
  size_t bytes = 0;
  for_each_parameter(config, none, [&](const std::string& name, auto shape, auto&) {
    bytes += packed_tensor_bytes(type_of(name), shape);
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

/// What has been read is given back on the way: of a large vocabulary the head would else be there twice at the end.
Weight read_packed(const Source& source, const StoredTensor& tensor, std::optional<size_t> head_dim_of_pairs,
                   std::byte* to, ThreadPool& pool) {
  constexpr size_t piece = 4 << 20, together = simd::group_rows;  // rows that share bytes of `to`
  const size_t rows = tensor.shape[0], columns = tensor.shape[1], row_bytes = tensor.bytes.size() / rows;
  const auto stored = head_dim_of_pairs ? stored_rows(rows, *head_dim_of_pairs) : std::vector<size_t>();
  const size_t groups = (rows + together - 1) / together;
  const size_t at_a_time = std::max<size_t>(1, piece / (together * row_bytes));
  for (size_t first = 0; first < groups; first += at_a_time) {
    const size_t count = std::min(at_a_time, groups - first), end = std::min((first + count) * together, rows);
    pool.for_each(count, [&](size_t i) {
      const size_t begin = (first + i) * together;
      for (size_t row = begin; row < std::min(begin + together, rows); ++row)
        pack_row(tensor.type, tensor.bytes.data() + (stored.empty() ? row : stored[row]) * row_bytes, columns, row, to);
    });
    StoredTensor read = tensor;
    read.bytes = tensor.bytes.first(end * row_bytes);
    source.release(read);
  }
  return Weight(simd::PackedRows{*packed_type(tensor.type), to, 0, rows, columns});
}

LlamaWeights read_weights(const Source& source) {
  const LlamaConfig& config = source.config.llama;
  const auto memory = std::make_shared<ZeroedBlock>(
      bytes_of(config, [&](const std::string& name) { return source.tensor(name)->type; }));
  auto* free = static_cast<std::byte*>(memory->data());
  LlamaWeights weights{config, {}, memory};
  weights.tensors.layers.resize(config.layers);
  ThreadPool pool(available_cpus());
  for_each_parameter(config, weights.tensors, [&]<size_t N>(const std::string& name, const Shape<N>& shape, auto& to) {
    const bool has_pairs = source.has_pairs && parameter_name(name).has_pairs;
    const StoredTensor& tensor = *source.tensor(name);
    const View<real, N> numbers(reinterpret_cast<real*>(free), shape);
    const auto copy = [&](std::span<real> values) { source.copy(tensor, shape, values); };
    if constexpr (N == 1) {
      copy(numbers.span());
      to = numbers;
    } else if (packed_type(tensor.type)) {
      to = read_packed(source, tensor, has_pairs ? std::optional(config.head_dim) : std::nullopt, free, pool);
    } else {
      has_pairs ? read_interleaved(numbers, config, copy) : copy(numbers.span());
      to = Weight(numbers);
    }
    free += packed_tensor_bytes(tensor.type, shape);
  });
  if (config.tied_embeddings) weights.tensors.head = weights.tensors.embedding;
  return weights;
}

PackedModel open_source(Source source, const fs::path& path, const fs::path& chosen_tokenizer) {
  std::unique_ptr<Tokenizer> tokenizer = source.tokenizer();
  replace_tokenizer(path, chosen_tokenizer, source.config, tokenizer);
  LlamaWeights weights = read_weights(source);
  return {std::move(source.config), std::move(weights), std::move(tokenizer)};
}

}  // namespace

size_t packed_tensor_bytes(ElementType stored, std::span<const size_t> shape) {
  constexpr size_t line = 64;
  const auto type = shape.size() == 2 ? packed_type(stored) : std::nullopt;
  const size_t count = std::accumulate(shape.begin(), shape.end(), size_t{1}, std::multiplies<>());
  const size_t bytes = type ? simd::packed_bytes(*type, shape[0], shape[1]) : count * sizeof(real);
  return (bytes + line - 1) / line * line;
}

PackedModel open_packed_model(const fs::path& path, const fs::path& tokenizer) {
  if (is_gguf_file(path)) return open_source(source_of(std::make_shared<const GgufFile>(path)), path, tokenizer);
  if (const auto config = folder_of_numbers(path)) return open_source(source_of(path, *config), path, tokenizer);
  Model model = open_model(path, tokenizer);
  const auto parameters = std::make_shared<const LlamaParameters>(std::move(model.weights));
  LlamaWeights weights = *parameters;
  weights.memory = parameters;
  return {std::move(model.config), std::move(weights), std::move(model.tokenizer)};
}

std::unique_ptr<Tokenizer> open_own_tokenizer(const fs::path& path) {
  if (is_gguf_file(path)) return gguf_tokenizer(GgufFile(path));
  return fs::is_directory(path) ? load_folder_tokenizer(path) : nullptr;
}

size_t packed_weight_bytes(const fs::path& path) {
  StoredTypes types;
  const LlamaConfig config = open_config(path).llama;
  if (is_gguf_file(path)) {
    const GgufFile file(path);
    return bytes_of(config, [&](const std::string& name) { return file.tensors().at(parameter_name(name).gguf).type; });
  }
  if (folder_of_numbers(path) &&
      (fs::exists(path / "model.safetensors") || fs::exists(path / "model.safetensors.index.json")))
    types = StoredWeights(path).types(config);
  return bytes_of(config, [&](const std::string& name) {
    const auto found = types.find(name);
    return found == types.end() ? ElementType::f32 : found->second;
  });
}

}  // namespace cria
