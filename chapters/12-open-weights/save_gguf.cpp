#include "chapters/12-open-weights/save_gguf.hpp"

#include <fmt/format.h>

#include <deque>

#include "chapters/01-bpe/sentencepiece.hpp"
#include "chapters/01-bpe/token_text.hpp"
#include "chapters/12-open-weights/rope_divisors.hpp"
#include "chapters/12-open-weights/tensor_names.hpp"
#include "lib/base/check.hpp"
#include "lib/formats/encode.hpp"
#include "lib/formats/gguf_write.hpp"

namespace cria {
namespace {

using Kind = SentencePieces::Kind;

/// llama.cpp's number for a file of which most tensors have this type.
std::uint32_t file_type(ElementType type) {
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

/// What llama.cpp calls the split patterns.
std::string pattern_name(SplitPattern pattern) {
  if (pattern == SplitPattern::llama3) return "llama-bpe";
  if (pattern == SplitPattern::gpt2) return "gpt-2";
  if (pattern == SplitPattern::smollm) return "smollm";
  if (pattern == SplitPattern::qwen2) return "qwen2";
  throw UserError(
      fmt::format("GGUF has no name for a tokenizer with the split pattern {}", split_pattern_name(pattern)));
}

/// Scores that put tokens in the order in which merges make them, for a model that has merges only.
std::vector<float> scores_of(const BpeModel& model) {
  if (!model.sentencepiece->scores.empty()) return model.sentencepiece->scores;
  std::vector<float> scores(model.vocabulary.size());
  for (size_t rank = model.merges.size(); rank-- > 0;) scores[size_t(model.merges[rank].result)] = -float(rank);
  return scores;
}

void add_tokenizer(const Tokenizer& tokenizer, GgufMetadata& out) {
  const BpeModel& model = tokenizer.model();
  const bool pieces = model.sentencepiece.has_value();
  if (!pieces && model.alphabet != Alphabet::bytes)
    throw UserError("GGUF has no word for a tokenizer of characters; expected byte-level BPE or SentencePiece");
  std::vector<std::string> tokens;
  std::vector<std::int32_t> kinds(model.vocabulary.size(), int(Kind::normal));
  for (const TokenId id : model.special_tokens) kinds[size_t(id)] = int(Kind::control);
  if (pieces) {
    for (const TokenId id : model.sentencepiece->byte_tokens) kinds[size_t(id)] = int(Kind::byte);
    if (model.sentencepiece->unknown) kinds[size_t(*model.sentencepiece->unknown)] = int(Kind::unknown);
  }
  for (size_t id = 0; id < model.vocabulary.size(); ++id) {
    const std::string_view token = model.vocabulary[id];
    const bool plain = kinds[id] == int(Kind::normal);
    tokens.push_back(!plain   ? std::string(token)
                     : pieces ? with_written_blanks(token)
                              : to_json_string(token, model.alphabet));
  }
  out.add("tokenizer.ggml.model", pieces ? "llama" : "gpt2");
  out.add("tokenizer.ggml.pre", pieces ? "default" : pattern_name(model.pattern));
  out.add("tokenizer.ggml.tokens", std::span<const std::string>(tokens));
  out.add("tokenizer.ggml.token_type", std::span<const std::int32_t>(kinds));
  if (pieces) {
    out.add("tokenizer.ggml.scores", std::span<const float>(scores_of(model)));
    out.add("tokenizer.ggml.add_space_prefix", model.sentencepiece->adds_blank);
    return;
  }
  std::vector<std::string> merges;
  for (const Merge& merge : model.merges)
    merges.push_back(tokens[size_t(merge.left)] + " " + tokens[size_t(merge.right)]);
  out.add("tokenizer.ggml.merges", std::span<const std::string>(merges));
}

GgufMetadata metadata_of(const Model& model, ElementType type, const GgufFile* from) {
  GgufMetadata out;
  if (from) {
    for (const auto& [key, value] : from->metadata())
      if (key != "general.file_type" && key != "general.alignment" && !key.starts_with("split.")) out.add(key, value);
    out.add("general.file_type", file_type(type));
    return out;
  }
  out.add("general.architecture", "llama");
  out.add("general.file_type", file_type(type));
  out.add("general.quantization_version", std::uint32_t{2});
  add_numbers(model.config.llama, out);
  if (!model.tokenizer) {
    out.add("tokenizer.ggml.model", "none");
    return out;
  }
  add_tokenizer(*model.tokenizer, out);
  out.add("tokenizer.ggml.add_bos_token", model.config.begin_of_text.has_value());
  if (model.config.begin_of_text)
    out.add("tokenizer.ggml.bos_token_id", static_cast<std::uint32_t>(*model.config.begin_of_text));
  // The first ends a text. A second one is mostly that of a turn in a chat, for which GGUF has a key.
  const char* keys[] = {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"};
  for (size_t i = 0; i < std::min(std::size(keys), model.config.end_of_text.size()); ++i)
    out.add(keys[i], static_cast<std::uint32_t>(model.config.end_of_text[i]));
  return out;
}

}  // namespace

void save_gguf(const std::filesystem::path& path, const Model& model, ElementType type, const GgufFile* from) {
  const LlamaConfig& c = model.config.llama;
  const GgufMetadata metadata = metadata_of(model, type, from);
  std::vector<GgufTensorToWrite> tensors;
  std::deque<std::vector<real>> turned;  // rows of query and key
  const std::vector<real> divisors = rope_divisors(c);
  if (!divisors.empty()) tensors.push_back({"rope_freqs.weight", {divisors.size()}, ElementType::f32, divisors});
  model.weights.for_each([&](const std::string& name, const auto& view) {
    const ParameterName known = parameter_name(name);
    const auto& shape = view.shape();
    const bool is_matrix = shape.size() == 2;
    const bool fits = shape.back() % type_layout(type).numbers == 0;
    std::span<const real> values = view.span();
    if constexpr (std::tuple_size_v<std::decay_t<decltype(shape)>> == 2) {
      if (known.has_pairs) {
        std::vector<real>& rows = turned.emplace_back(view.size());
        rope_permute_rows(view, c.head_dim, RopePairing::half_split, View<real, 2>(rows.data(), shape));
        values = rows;
      }
    }
    tensors.push_back({known.gguf,
                       {shape.begin(), shape.end()},
                       !is_matrix ? ElementType::f32
                       : fits     ? type
                                  : ElementType::f16,
                       values});
  });
  write_gguf(path, metadata, tensors);
}

}  // namespace cria
