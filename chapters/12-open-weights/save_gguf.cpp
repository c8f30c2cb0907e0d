#include "chapters/12-open-weights/save_gguf.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "chapters/12-open-weights/gguf_tokenizer_write.hpp"
#include "chapters/12-open-weights/rope_divisors.hpp"
#include "chapters/12-open-weights/tensor_names.hpp"
#include "chapters/12-open-weights/written_types.hpp"
#include "lib/base/check.hpp"
#include "lib/formats/gguf_write.hpp"

namespace cria {
namespace {

/// llama.cpp's number for a file of which most tensors have this type.
std::uint32_t file_type_of(ElementType type) {
  switch (type) {
    case ElementType::f32:
      return 0;
    case ElementType::f16:
      return 1;
    case ElementType::q4_0:
      return 2;
    case ElementType::q8_0:
      return 7;
    case ElementType::bf16:
      return 32;
    default:
      throw UserError(
          fmt::format("cannot write GGUF with type {}, expected F32, F16, BF16, Q8_0 or Q4_0", type_layout(type).name));
  }
}

void add_numbers(const LlamaConfig& c, GgufMetadata& out) {
  const auto whole = [](size_t number) { return static_cast<std::uint32_t>(number); };
  out.add("llama.context_length", whole(c.context));
  out.add("llama.embedding_length", whole(c.dim));
  out.add("llama.block_count", whole(c.layers));
  out.add("llama.feed_forward_length", whole(c.hidden_dim));
  out.add("llama.attention.head_count", whole(c.heads));
  out.add("llama.attention.head_count_kv", whole(c.kv_heads));
  out.add("llama.attention.key_length", whole(c.head_dim));
  out.add("llama.attention.value_length", whole(c.head_dim));
  out.add("llama.attention.layer_norm_rms_epsilon", float(c.norm_eps));
  out.add("llama.rope.dimension_count", whole(c.head_dim));
  out.add("llama.rope.freq_base", float(c.rope_theta));
  out.add("llama.vocab_size", whole(c.vocabulary_size));
  if (c.rope_scaling.kind != RopeScaling::Kind::linear) return;
  out.add("llama.rope.scaling.type", "linear");
  out.add("llama.rope.scaling.factor", float(c.rope_scaling.factor));
}

/// All keys of another file, in their order; what depends on the tensors, or on how many files there are, anew.
void add_keys(const GgufFile& from, const LlamaConfig& c, std::uint32_t file_type, GgufMetadata& out) {
  for (const auto& [key, value] : from.metadata())
    if (key == "general.file_type")
      out.add(key, file_type);
    else if (key == "llama.attention.head_count_kv")
      out.add(key, static_cast<std::uint32_t>(c.kv_heads));
    else if (key != "general.alignment" && !key.starts_with("split."))
      out.add(key, value);
}

GgufMetadata metadata_of(const Model& model, std::uint32_t file_type, const GgufFile* from,
                         const std::optional<std::string>& chat_template) {
  GgufMetadata out;
  if (from) {
    add_keys(*from, model.config.llama, file_type, out);
  } else {
    out.add("general.architecture", "llama");
    add_numbers(model.config.llama, out);
    if (model.tokenizer)
      add_tokenizer(*model.tokenizer, model.config, out);
    else
      out.add("tokenizer.ggml.model", "none");
    if (chat_template) out.add("tokenizer.chat_template", *chat_template);
  }
  const auto add_missing = [&](std::string_view key, std::uint32_t value) {
    if (!std::ranges::count(out.keys(), key)) out.add(key, value);
  };
  add_missing("llama.attention.head_count_kv", static_cast<std::uint32_t>(model.config.llama.kv_heads));
  add_missing("general.file_type", file_type);
  add_missing("general.quantization_version", 2);
  return out;
}

}  // namespace

void save_gguf(const std::filesystem::path& path, const Model& model, const StoredTypes& types, const GgufFile* from,
               const std::optional<std::string>& chat_template, const std::optional<GgufBlocks>& blocks) {
  const LlamaConfig& c = model.config.llama;
  const std::uint32_t file_type = blocks ? blocks->file_type : file_type_of(main_type(model.weights, types));
  const GgufMetadata metadata = metadata_of(model, file_type, from, chat_template);
  std::vector<TensorToWrite> tensors;
  const std::vector<real> divisors = rope_divisors(c);
  if (!divisors.empty()) tensors.push_back({"rope_freqs.weight", {divisors.size()}, divisors});
  std::vector<real> turned;  // rows of the query or key weight that is being written
  model.weights.for_each([&]<size_t N>(const std::string& name, View<real, N> view) {
    const ParameterName known = parameter_name(name);
    const auto& shape = view.shape();
    TensorToWrite& tensor =
        tensors.emplace_back(TensorToWrite{known.gguf, {shape.begin(), shape.end()}, view.span(), types.at(name)});
    if (blocks && type_layout(tensor.type).numbers > 1) tensor.encode = blocks->encode;
    if constexpr (N == 2)
      if (known.has_pairs)
        tensor.make = [&turned, &c, view] {
          turned.resize(view.size());
          rope_permute_rows(view, c.head_dim, RopePairing::half_split, View<real, 2>(turned.data(), view.shape()));
          return std::span<const real>(turned);
        };
  });
  write_gguf(path, metadata, tensors);
}

}  // namespace cria
