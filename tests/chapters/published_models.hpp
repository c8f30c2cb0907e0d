// One small Llama in each of the forms in which Llamas are published. Names, order of rows and cuts are written down
// here once more, independently of chapter 12: a mistake there must not be made on both sides.
#pragma once

#include <bit>
#include <fstream>

#include "chapters/08-llama/parameters.hpp"
#include "lib/formats/gguf_write.hpp"
#include "tests/testing.hpp"
#include "tests/torch_writer.hpp"

namespace cria::testing {

/// G² is not H, and heads are wider than 4, so that rows in a wrong order do not happen to be right.
inline LlamaConfig published_config(bool tied = false) {
  LlamaConfig c;
  c.vocabulary_size = 20, c.dim = 36, c.hidden_dim = 96, c.layers = 2, c.heads = 6, c.kv_heads = 2, c.head_dim = 6;
  c.context = 16, c.tied_embeddings = tied;
  return c;
}

/// Random numbers that a bfloat16 holds, and so every type of a file.
inline LlamaParameters published_weights(const LlamaConfig& config) {
  LlamaParameters weights(config);
  Random random(7);
  for (real& value : weights.flat())
    value = real(std::bit_cast<float>(std::bit_cast<std::uint32_t>(float(0.3 * random.normal())) & 0xffff0000));
  return weights;
}

struct PublishedTensor {
  std::string gguf, meta;
  char cut;  // r rows, c columns, or w whole, in Meta's files
  std::vector<size_t> shape;
  std::vector<real> values;

  /// The part of a matrix that device `part` of `parts` has.
  std::vector<real> part(size_t part, size_t parts) const {
    if (cut == 'w') return values;
    const size_t columns = shape[1];
    const auto begin = [&](size_t all, size_t i) { return i * all / parts; };
    std::vector<real> out;
    for (size_t i = 0; i < values.size(); ++i) {
      const size_t at = cut == 'r' ? i / columns : i % columns, all = cut == 'r' ? shape[0] : columns;
      if (at >= begin(all, part) && at < begin(all, part + 1)) out.push_back(values[i]);
    }
    return out;
  }
};

inline std::vector<PublishedTensor> published_tensors(const LlamaParameters& weights) {
  const LlamaTensors<real>& w = weights.tensors();
  const LlamaConfig& c = weights.config();
  std::vector<PublishedTensor> out;
  const auto add = [&](const std::string& gguf, const std::string& meta, char cut, const auto& view) {
    out.push_back({gguf + ".weight",
                   meta + ".weight",
                   cut,
                   {view.shape().begin(), view.shape().end()},
                   {view.begin(), view.end()}});
  };
  // Row r of a file is the row of channel r % Dh: of pair (r % Dh) / 2 the first or the second number.
  const auto add_pairs = [&](const std::string& gguf, const std::string& meta, View<real, 2> view) {
    add(gguf, meta, 'r', view);
    std::vector<real> rows;
    for (size_t r = 0; r < view.shape(0); ++r) {
      const size_t channel = r % c.head_dim, head = r - channel;
      const auto row = view[head + channel / 2 + (channel % 2) * (c.head_dim / 2)].span();
      rows.insert(rows.end(), row.begin(), row.end());
    }
    out.back().values = rows;
  };
  add("token_embd", "tok_embeddings", 'c', w.embedding);
  for (size_t i = 0; i < c.layers; ++i) {
    const LayerTensors<real>& layer = w.layers[i];
    const std::string gguf = "blk." + std::to_string(i) + ".", meta = "layers." + std::to_string(i) + ".";
    add(gguf + "attn_norm", meta + "attention_norm", 'w', layer.attention_norm);
    add_pairs(gguf + "attn_q", meta + "attention.wq", layer.query);
    add_pairs(gguf + "attn_k", meta + "attention.wk", layer.key);
    add(gguf + "attn_v", meta + "attention.wv", 'r', layer.value);
    add(gguf + "attn_output", meta + "attention.wo", 'c', layer.output);
    add(gguf + "ffn_norm", meta + "ffn_norm", 'w', layer.feed_forward_norm);
    add(gguf + "ffn_gate", meta + "feed_forward.w1", 'r', layer.gate);
    add(gguf + "ffn_down", meta + "feed_forward.w2", 'c', layer.down);
    add(gguf + "ffn_up", meta + "feed_forward.w3", 'r', layer.up);
  }
  add("output_norm", "norm", 'w', w.norm);
  if (!c.tied_embeddings) add("output", "output", 'r', w.head);
  return out;
}

/// Without tokenizer. `more` adds to the keys. Matrices are of the type, which `encode` may make.
inline void write_as_gguf(const std::filesystem::path& path, const LlamaParameters& weights,
                          const std::function<void(GgufMetadata&)>& more = {}, ElementType type = ElementType::f32,
                          const EncodeRows& encode = {}) {
  const LlamaConfig& c = weights.config();
  GgufMetadata keys;
  const auto add = [&](const char* key, size_t value) { keys.add(key, static_cast<std::uint32_t>(value)); };
  keys.add("general.architecture", "llama");
  add("llama.embedding_length", c.dim), add("llama.feed_forward_length", c.hidden_dim);
  add("llama.block_count", c.layers), add("llama.context_length", c.context);
  add("llama.attention.head_count", c.heads), add("llama.attention.head_count_kv", c.kv_heads);
  keys.add("llama.attention.layer_norm_rms_epsilon", float(c.norm_eps));
  keys.add("llama.rope.freq_base", float(c.rope_theta));
  if (more) more(keys);
  const std::vector<PublishedTensor> tensors = published_tensors(weights);
  std::vector<TensorToWrite> stored;
  for (const PublishedTensor& t : tensors) {
    stored.push_back({t.gguf, t.shape, t.values});
    if (t.shape.size() == 2) stored.back().type = type, stored.back().encode = encode;
  }
  write_gguf(path, keys, stored);
}

inline std::string as_floats(std::span<const real> values) {
  std::string out;
  for (const real value : values) out += torch::packed(float(value));
  return out;
}
inline std::string as_bfloat16(std::span<const real> values) {
  std::string out;
  for (const real value : values)
    out += torch::packed(static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(float(value)) >> 16));
  return out;
}

/// params.json and the parts, in bfloat16 as Meta's are. Llama 3 cuts the embedding by rows. `params` adds to the keys.
inline void write_as_meta(const std::filesystem::path& folder, const LlamaParameters& weights, size_t parts,
                          bool embedding_by_rows = false, const std::string& params = "") {
  using namespace std::string_literals;
  const LlamaConfig& c = weights.config();
  std::ofstream(folder / "params.json") << "{\"dim\": " << c.dim << ", \"n_layers\": " << c.layers
                                        << ", \"n_heads\": " << c.heads << ", \"n_kv_heads\": " << c.kv_heads
                                        << ", \"multiple_of\": 8, \"norm_eps\": " << c.norm_eps
                                        << ", \"rope_theta\": " << c.rope_theta << ", \"vocab_size\": -1" << params
                                        << "}";
  std::vector<PublishedTensor> tensors = published_tensors(weights);
  if (embedding_by_rows) tensors.front().cut = 'r';
  for (size_t part = 0; part < parts; ++part) {
    std::string items;
    std::vector<std::pair<std::string, std::string>> entries{{"consolidated/data.pkl", ""}};
    for (const PublishedTensor& t : tensors) {
      const std::vector<real> values = t.part(part, parts);
      std::vector<std::int32_t> shape(t.shape.begin(), t.shape.end()), strides(t.shape.size(), 1);
      if (t.cut == 'r') shape[0] /= std::int32_t(parts);
      if (t.cut == 'c') shape[1] /= std::int32_t(parts);
      if (shape.size() == 2) strides[0] = shape[1];
      const std::string key = std::to_string(entries.size() - 1);
      items += torch::torch_item(t.meta, "BFloat16Storage", key, std::int32_t(values.size()), 0, shape, strides);
      entries.emplace_back("consolidated/data/" + key, as_bfloat16(values));
    }
    entries.front().second = "\x80\x02}("s + items + "u.";
    std::ofstream(folder / ("consolidated.0" + std::to_string(part) + ".pth"), std::ios::binary) << torch::zip(entries);
  }
}

/// Version 0 or 1 of llama2.c's export.py.
inline void write_as_llama2c(const std::filesystem::path& path, const LlamaParameters& weights, int version) {
  using torch::packed;
  const LlamaConfig& c = weights.config();
  const auto size = [](size_t number) { return static_cast<std::int32_t>(number); };
  const std::int32_t sign = version == 0 && !c.tied_embeddings ? -1 : 1;
  std::string out = version == 0 ? "" : packed(std::uint32_t{0x616b3432}, std::int32_t{1});
  out += packed(size(c.dim), size(c.hidden_dim), size(c.layers), size(c.heads), size(c.kv_heads),
                sign * size(c.vocabulary_size), size(c.context));
  if (version == 1) out += packed(char(c.tied_embeddings)), out.resize(256);
  const std::vector<PublishedTensor> tensors = published_tensors(weights);
  const auto add = [&](const std::string& name) {  // of all layers, if it is a layer's
    for (const PublishedTensor& t : tensors)
      if (t.gguf == name + ".weight" || (t.gguf.starts_with("blk.") && t.gguf.substr(6) == name + ".weight"))
        out += as_floats(t.values);
  };
  const std::vector<std::string> order =
      version == 0
          ? std::vector<std::string>{"token_embd", "attn_norm", "attn_q",   "attn_k", "attn_v",     "attn_output",
                                     "ffn_norm",   "ffn_gate",  "ffn_down", "ffn_up", "output_norm"}
          : std::vector<std::string>{"attn_norm", "ffn_norm",    "output_norm", "token_embd", "attn_q", "attn_k",
                                     "attn_v",    "attn_output", "ffn_gate",    "ffn_down",   "ffn_up"};
  for (const std::string& name : order) add(name);
  if (version == 0) out += std::string(c.context * c.head_dim * sizeof(float), '\0');  // cosines and sines
  add("output");
  std::ofstream(path, std::ios::binary) << out;
}

}  // namespace cria::testing
