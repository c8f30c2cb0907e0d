// A small Llama whose linears are packed as GPTQ, AWQ or compressed-tensors store them. The formats are written down
// here once more, bit by bit and independently of chapter 12: a mistake there must not be made on both sides.
#pragma once

#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "chapters/11-pretraining/model_config.hpp"
#include "chapters/12-open-weights/open_model.hpp"
#include "tests/chapters/refusal.hpp"

namespace cria::testing {

/// The codes as one stream of bits, the lowest of each first, in words of 32.
inline std::vector<std::uint32_t> pack_bits(const std::vector<size_t>& codes, size_t bits) {
  std::vector<std::uint32_t> words((codes.size() * bits + 31) / 32);
  for (size_t at = 0; at < codes.size() * bits; ++at)
    if (codes[at / bits] >> at % bits & 1) words[at / 32] |= 1u << at % 32;
  return words;
}

struct RawTensor {
  std::string type;
  std::vector<size_t> shape;
  std::string bytes;

  template <class Number>
  static RawTensor of(const std::string& type, const std::vector<size_t>& shape, const std::vector<Number>& numbers) {
    return {type, shape, {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(Number)}};
  }
};
using RawTensors = std::map<std::string, RawTensor>;

inline void write_raw(const std::filesystem::path& path, const RawTensors& tensors) {
  nlohmann::json header = nlohmann::json::object();
  std::string data;
  for (const auto& [name, tensor] : tensors) {
    header[name] = {{"dtype", tensor.type},
                    {"shape", tensor.shape},
                    {"data_offsets", {data.size(), data.size() + tensor.bytes.size()}}};
    data += tensor.bytes;
  }
  const std::string text = header.dump();
  const std::uint64_t length = text.size();
  std::ofstream(path, std::ios::binary) << std::string(reinterpret_cast<const char*>(&length), 8) << text << data;
}

/// How a checkpoint is to be written.
struct Scheme {
  std::string method;  // the value of quant_method
  size_t bits = 4;
  size_t group_size = 0;  // 0: all inputs are one group
  bool act_order = false, symmetric = false;
  int version = 1;  // of GPTQ
};

struct QuantisedCheckpoint {
  using Json = nlohmann::json;

  TemporaryFolder folder;
  Scheme scheme;
  RawTensors tensors;
  LlamaParameters expected;
  Json config;

  static LlamaConfig llama() {
    LlamaConfig c;
    c.vocabulary_size = 40, c.dim = 64, c.hidden_dim = 96, c.layers = 2, c.heads = 2, c.kv_heads = 1, c.head_dim = 32;
    c.context = 16, c.tied_embeddings = false;
    return c;
  }

  explicit QuantisedCheckpoint(const Scheme& s) : scheme(s), expected(llama()) {
    expected.for_each([&]<size_t N>(const std::string& name, View<real, N> values) {
      const std::string linear = name.substr(0, name.rfind('.') + 1);
      if constexpr (N == 2)
        if (name.starts_with("model.layers.")) return add_linear(linear, values);
      std::vector<float> numbers(values.size());
      for (size_t i = 0; i < numbers.size(); ++i) values.span()[i] = real(numbers[i] = float(random_.normal()));
      tensors[name] = RawTensor::of("F32", {values.shape().begin(), values.shape().end()}, numbers);
    });
    write_config(folder / "config.json", {llama(), {}, {}});
    std::ifstream(folder / "config.json") >> config;
    config["quantization_config"] = settings();
    write();
  }

  void write() const {
    std::ofstream(folder / "config.json") << config;
    write_raw(folder / "model.safetensors", tensors);
  }

  /// What open_model says; "" where it has nothing against the folder.
  std::string error() const {
    write();
    return refusal_of(folder, [](const auto& path) { open_model(path); });
  }

  /// "" where the folder has the expected weights, to the last bit.
  std::string weight_difference() const {
    return difference(open_model(folder.path()).weights.flat(), expected.flat(), 0);
  }

  void add_linear(const std::string& linear, View<real, 2> weight) {
    const size_t M = weight.shape(0), K = weight.shape(1), size = scheme.group_size ? scheme.group_size : K;
    const size_t G = (K + size - 1) / size, codes = size_t{1} << scheme.bits;
    const bool compressed = scheme.method == "compressed-tensors", gptq = scheme.method == "gptq";
    std::vector<std::int32_t> group_of(K);
    for (size_t i = 0; i < K; ++i) group_of[i] = std::int32_t(i / size);
    if (scheme.act_order)
      for (size_t i = K; i > 1; --i) std::swap(group_of[i - 1], group_of[below(i)]);

    std::vector<std::vector<size_t>> q(M, std::vector<size_t>(K)), zero(M, std::vector<size_t>(G));
    std::vector<std::uint16_t> scales(M *
                                      G);  // float16 (1 + m/1024) / 64, or bfloat16 (1 + m/128) / 64; (M, G) or (G, M)
    for (size_t o = 0; o < M; ++o) {
      std::vector<double> scale(G);
      for (size_t g = 0; g < G; ++g) {
        const size_t m = below(compressed ? 128 : 1024);
        scale[g] = std::ldexp(1 + double(m) / (compressed ? 128 : 1024), -6);
        scales[compressed ? o * G + g : g * M + o] =
            std::uint16_t(compressed ? (127 - 6) << 7 | m : (15 - 6) << 10 | m);
        const bool less_one = gptq && scheme.version == 1;
        zero[o][g] = scheme.symmetric ? codes / 2 : less_one + below(codes - less_one);
      }
      for (size_t i = 0; i < K; ++i) {
        q[o][i] = below(codes);
        const auto g = size_t(group_of[i]);
        weight(o, i) = real(scale[g]) * (real(q[o][i]) - real(zero[o][g]));
      }
    }

    // Streams along the rows of a matrix of words, or down its columns.
    const auto add = [&](const std::string& name, size_t streams, size_t length, bool down, auto code) {
      const size_t words = (length * scheme.bits + 31) / 32;
      std::vector<std::uint32_t> packed(streams * words);
      for (size_t s = 0; s < streams; ++s) {
        std::vector<size_t> stream(length);
        for (size_t i = 0; i < length; ++i) stream[i] = code(s, i);
        const std::vector<std::uint32_t> one = pack_bits(stream, scheme.bits);
        for (size_t w = 0; w < words; ++w) packed[down ? w * streams + s : s * words + w] = one[w];
      }
      const std::vector<size_t> shape = down ? std::vector{words, streams} : std::vector{streams, words};
      tensors[linear + name] = RawTensor::of("I32", shape, packed);
    };
    constexpr size_t awq_output[] = {0, 2, 4, 6, 1, 3, 5, 7};  // that stands at each place in a word
    const auto awq = [&](size_t place) { return place / 8 * 8 + awq_output[place % 8]; };
    if (gptq) {
      add("qweight", M, K, true, [&](size_t o, size_t i) { return q[o][i]; });
      add("qzeros", G, M, false, [&](size_t g, size_t o) { return zero[o][g] - (scheme.version == 1); });
      tensors[linear + "g_idx"] = RawTensor::of("I32", {K}, group_of);
    } else if (!compressed) {
      add("qweight", K, M, false, [&](size_t i, size_t place) { return q[awq(place)][i]; });
      add("qzeros", G, M, false, [&](size_t g, size_t place) { return zero[awq(place)][g]; });
    } else {
      add("weight_packed", M, K, false, [&](size_t o, size_t i) { return q[o][i]; });
      if (!scheme.symmetric) add("weight_zero_point", G, M, true, [&](size_t g, size_t o) { return zero[o][g]; });
      tensors[linear + "weight_shape"] = RawTensor::of("I64", {2}, std::vector<std::int64_t>{int(M), int(K)});
      if (scheme.act_order) tensors[linear + "weight_g_idx"] = RawTensor::of("I32", {K}, group_of);
    }
    tensors[linear + (compressed ? "weight_scale" : "scales")] =
        RawTensor::of(compressed ? "BF16" : "F16", compressed ? std::vector{M, G} : std::vector{G, M}, scales);
  }

  Json settings() const {
    const Json group = scheme.group_size ? Json(scheme.group_size) : Json(-1);
    if (scheme.method == "awq")
      return {{"quant_method", "awq"}, {"bits", 4},          {"group_size", group},
              {"version", "gemm"},     {"zero_point", true}, {"modules_to_not_convert", nullptr}};
    if (scheme.method == "gptq")
      return {{"quant_method", "gptq"},  {"bits", scheme.bits},
              {"group_size", group},     {"desc_act", scheme.act_order},
              {"sym", scheme.symmetric}, {"checkpoint_format", scheme.version == 1 ? "gptq" : "gptq_v2"},
              {"damp_percent", 0.01},    {"meta", {{"quantizer", {"gptqmodel:4.0"}}}}};
    const Json weights = {{"num_bits", 4},
                          {"type", "int"},
                          {"symmetric", scheme.symmetric},
                          {"strategy", scheme.group_size ? "group" : "channel"},
                          {"group_size", scheme.group_size ? group : Json(nullptr)},
                          {"actorder", scheme.act_order ? Json("group") : Json(nullptr)},
                          {"dynamic", false}};
    return {{"quant_method", "compressed-tensors"},
            {"format", "pack-quantized"},
            {"quantization_status", "compressed"},
            {"kv_cache_scheme", nullptr},
            {"ignore", {"lm_head"}},
            {"config_groups", {{"group_0", {{"targets", {"Linear"}}, {"weights", weights}}}}}};
  }

 private:
  size_t below(size_t n) { return random_.below(std::uint32_t(n)); }

  Random random_{11};
};

}  // namespace cria::testing
