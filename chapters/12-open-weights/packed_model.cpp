#include "chapters/12-open-weights/packed_model.hpp"

#include <functional>
#include <numeric>

#include "chapters/12-open-weights/gguf_model.hpp"
#include "chapters/12-open-weights/matrix_reader.hpp"
#include "chapters/12-open-weights/open_model.hpp"
#include "lib/base/arena.hpp"
#include "lib/formats/pack_row.hpp"

namespace cria {
namespace {

namespace fs = std::filesystem;

PackedSource source_of(const std::shared_ptr<const GgufFile>& file) {
  return {
      .config = gguf_config(*file),
      .tensor = [file](const std::string& name) { return &file->tensors().at(parameter_name(name).gguf); },
      .copy = [file](const StoredTensor& t, auto shape, auto values) { file->copy_to(t.name, shape, values); },
      .release = [file](const StoredTensor& tensor) { file->release(tensor); },
      .tokenizer = [file] { return gguf_tokenizer(*file); },
      .has_pairs = true,
  };
}

PackedSource source_of(const fs::path& folder, const ModelConfig& config) {
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

LlamaWeights read_weights(const PackedSource& source, const KeepPart& keep, std::vector<ElementType>& types) {
  const LlamaConfig& config = source.config.llama;
  MatrixReader reader(source, keep);
  LlamaWeights weights{config, {}};
  weights.tensors.layers.resize(config.layers);
  size_t bytes = 0;
  for_each_parameter(config, weights.tensors, [&]<size_t N>(const std::string& name, const Shape<N>& shape, auto&) {
    if constexpr (N == 1)
      bytes += packed_tensor_bytes(ElementType::f32, shape);
    else
      bytes += reader.bytes(name, shape), types.push_back(source.tensor(name)->type);
  });
  const auto memory = std::make_shared<ZeroedBlock>(bytes);
  auto* free = static_cast<std::byte*>(memory->data());
  weights.memory = memory;
  for_each_parameter(config, weights.tensors, [&]<size_t N>(const std::string& name, const Shape<N>& shape, auto& to) {
    if constexpr (N == 1) {
      const View<real, N> numbers(reinterpret_cast<real*>(free), shape);
      source.copy(*source.tensor(name), shape, numbers.span());
      to = numbers, free += packed_tensor_bytes(ElementType::f32, shape);
    } else {
      to = reader.read(name, shape, free), free += reader.bytes(name, shape);
    }
  });
  if (config.tied_embeddings) weights.tensors.head = weights.tensors.embedding;
  return weights;
}

PackedModel open_source(PackedSource source, const fs::path& path, const fs::path& chosen_tokenizer,
                        const KeepPart& keep) {
  PackedModel model;
  model.tokenizer = source.tokenizer();
  replace_tokenizer(path, chosen_tokenizer, source.config, model.tokenizer);
  model.weights = read_weights(source, keep, model.types);
  model.config = std::move(source.config);
  return model;
}

/// What open_model has read, all of it; the parts are places in it.
PackedModel packed(Model model, const KeepPart& keep) {
  const auto parameters = std::make_shared<const LlamaParameters>(std::move(model.weights));
  PackedModel opened{std::move(model.config), *parameters, std::move(model.tokenizer)};
  LlamaWeights& weights = opened.weights;
  weights.memory = parameters;
  const LlamaConfig& config = weights.config;
  for_each_parameter(config, weights.tensors, [&]<size_t N>(const std::string& name, const Shape<N>& shape, auto& to) {
    if constexpr (N == 2) {
      opened.types.push_back(ElementType::f32);
      if (!keep) return;
      const KeptPart part = keep(config, name, shape);
      to = part.rows.empty() ? Weight() : Weight(to.numbers().rows(part.rows).columns(part.columns));
    }
  });
  if (config.tied_embeddings) weights.tensors.head = weights.tensors.embedding;
  return opened;
}

}  // namespace

size_t packed_tensor_bytes(ElementType stored, std::span<const size_t> shape) {
  constexpr size_t line = 64;
  const auto type = shape.size() == 2 ? packed_type(stored) : std::nullopt;
  const size_t count = std::accumulate(shape.begin(), shape.end(), size_t{1}, std::multiplies<>());
  const size_t bytes = type ? simd::packed_bytes(*type, shape[0], shape[1]) : count * sizeof(real);
  return (bytes + line - 1) / line * line;
}

PackedModel open_packed_model(const fs::path& path, const fs::path& tokenizer, const KeepPart& keep) {
  if (is_gguf_file(path)) return open_source(source_of(std::make_shared<const GgufFile>(path)), path, tokenizer, keep);
  if (const auto config = folder_of_numbers(path)) return open_source(source_of(path, *config), path, tokenizer, keep);
  return packed(open_model(path, tokenizer), keep);
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
