#include "chapters/12-open-weights/llama2c_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <vector>

#include "chapters/01-bpe/sentencepiece.hpp"
#include "chapters/12-open-weights/stored_parameters.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"
#include "lib/formats/element_type.hpp"

namespace cria {
namespace {

constexpr std::uint32_t mark = 0x616b3432;  // "ak42"
constexpr size_t header_bytes_0 = 7 * 4, header_bytes_1 = 256;

using Header = std::array<std::int32_t, 7>;  // dim, hidden_dim, layers, heads, kv_heads, vocabulary, context

struct Layout {
  int version = 0;
  LlamaConfig config;
  size_t header_bytes = header_bytes_0;
};

Layout read_header(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  const auto fail = [&](const std::string& message) -> void {
    throw UserError(fmt::format("{}: {}", path.string(), message));
  };
  if (bytes.size() < header_bytes_1) fail("is no model of llama2.c: it is too short");
  Layout out;
  std::array<std::uint32_t, 2> begin;
  std::memcpy(&begin, bytes.data(), sizeof begin);
  size_t at = 0;
  if (begin[0] == mark) {
    out.version = int(begin[1]), out.header_bytes = header_bytes_1, at = sizeof begin;
    if (out.version != 1)
      fail(fmt::format("is version {} of llama2.c's format, expected 0 or 1 (2 holds quantised weights)", out.version));
  }
  Header h;
  std::memcpy(&h, bytes.data() + at, sizeof h);
  LlamaConfig& c = out.config;
  c.tied_embeddings = out.version == 0 ? h[5] > 0 : bytes[at + sizeof h] != std::byte{0};
  if (out.version == 0 && h[5] < 0) h[5] = -std::max(h[5], -INT32_MAX);  // a sign says that the head is stored
  if (std::ranges::any_of(h, [](std::int32_t size) { return size <= 0; }))
    fail("is no model of llama2.c: a size in its header is 0 or less");
  c.dim = size_t(h[0]), c.hidden_dim = size_t(h[1]), c.layers = size_t(h[2]), c.heads = size_t(h[3]);
  c.kv_heads = size_t(h[4]), c.vocabulary_size = size_t(h[5]), c.context = size_t(h[6]);
  if (c.dim % c.heads != 0) fail(fmt::format("has {} heads in a width of {}, expected a divisor", c.heads, c.dim));
  c.head_dim = c.dim / c.heads;
  c.norm_eps = 1e-5, c.rope_theta = 10000;  // as llama2.c computes; the file does not say
  try {
    c.validate();
  } catch (const UserError& error) {
    fail(error.what());
  }
  return out;
}

/// Walks through the file's numbers.
class Numbers {
 public:
  explicit Numbers(std::span<const std::byte> bytes) : bytes_(bytes) {}
  void skip(size_t count) { at_ += count; }
  void read(std::span<real> values) {
    convert_elements(ElementType::f32, bytes_.data() + at_ * sizeof(float), values);
    at_ += values.size();
  }

 private:
  std::span<const std::byte> bytes_;
  size_t at_ = 0;
};

void read_weights(const Layout& layout, std::span<const std::byte> bytes, const LlamaParameters& weights) {
  const LlamaConfig& c = layout.config;
  const LlamaTensors<real>& w = weights.tensors();
  Numbers numbers(bytes);
  const auto each_layer = [&](auto member) {
    for (const auto& layer : w.layers) numbers.read((layer.*member).span());
  };
  const auto each_turned = [&](auto member) {
    for (const auto& layer : w.layers)
      read_interleaved(layer.*member, c, [&](std::span<real> values) { numbers.read(values); });
  };
  using Layer = LayerTensors<real>;
  if (layout.version == 0) {
    numbers.read(w.embedding.span());
    each_layer(&Layer::attention_norm);
  } else {
    each_layer(&Layer::attention_norm);
    each_layer(&Layer::feed_forward_norm);
    numbers.read(w.norm.span());
    numbers.read(w.embedding.span());
  }
  each_turned(&Layer::query);
  each_turned(&Layer::key);
  each_layer(&Layer::value);
  each_layer(&Layer::output);
  if (layout.version == 0) each_layer(&Layer::feed_forward_norm);
  each_layer(&Layer::gate);
  each_layer(&Layer::down);
  each_layer(&Layer::up);
  if (layout.version == 0) {
    numbers.read(w.norm.span());
    numbers.skip(c.context * c.head_dim);  // cosines and sines
  }
  if (!c.tied_embeddings) numbers.read(w.head.span());
}

}  // namespace

LlamaConfig llama2c_config(const std::filesystem::path& path) {
  const MappedFile file(path);
  return read_header(path, file.bytes()).config;
}

Model load_llama2c(const std::filesystem::path& path, const std::filesystem::path& tokenizer) {
  const MappedFile file(path);
  const Layout layout = read_header(path, file.bytes());
  const LlamaConfig& c = layout.config;
  const size_t angles = layout.version == 0 ? c.context * c.head_dim : 0;
  const size_t expected = layout.header_bytes + (parameter_count(c) + angles) * sizeof(float);
  if (file.bytes().size() != expected)
    throw UserError(
        fmt::format("{}: has {} bytes, but the sizes in its header ask for {} (is it cut off, or no model of "
                    "llama2.c?)",
                    path.string(), file.bytes().size(), expected));
  Model model{{c, TokenId{1}, {1, 2}}, LlamaParameters(c), nullptr};  // llama2.c ends a text at either
  read_weights(layout, file.bytes().subspan(layout.header_bytes), model.weights);
  std::filesystem::path found = tokenizer;
  for (const char* name : {"tokenizer.bin", "tokenizer.model"})
    if (found.empty() && std::filesystem::exists(path.parent_path() / name)) found = path.parent_path() / name;
  if (found.empty()) return model;
  const SentencePieces pieces =
      is_sentencepiece(MappedFile(found).text()) ? read_sentencepiece(found) : read_llama2c_tokenizer(found);
  model.tokenizer = std::make_unique<Tokenizer>(sentencepiece_model(pieces));
  if (model.tokenizer->vocabulary_size() > c.vocabulary_size)
    throw UserError(fmt::format("{} has {} tokens and the model {}; they do not belong together", found.string(),
                                model.tokenizer->vocabulary_size(), c.vocabulary_size));
  return model;
}

bool is_llama2c(const std::filesystem::path& path) {
  try {
    const MappedFile file(path);
    read_header(path, file.bytes());
    return true;
  } catch (const UserError&) {
    return false;
  }
}

}  // namespace cria
