// Prompts, batches of a few tokens and single tokens, with weights that run as a file stores them.
#include <fmt/format.h>

#include <cmath>

#include "app/bench/inference.hpp"
#include "app/bench/sections.hpp"
#include "chapters/12-open-weights/packed_model.hpp"
#include "lib/formats/encode.hpp"

namespace cria::bench {
namespace {

size_t weight_bytes(const LlamaConfig& config, ElementType type) {
  LlamaTensors<real> none;
  none.layers.resize(config.layers);
  size_t bytes = 0;
  for_each_parameter(config, none,
                     [&](const std::string&, auto shape, auto&) { bytes += packed_tensor_bytes(type, shape); });
  return bytes;
}

/// Uniform numbers of the size of random_weights', in the type, in memory of their own.
std::shared_ptr<const LlamaWeights> packed_weights(const LlamaConfig& config, ElementType type) {
  const auto memory = std::make_shared<ZeroedBlock>(weight_bytes(config, type));
  auto* free = static_cast<std::byte*>(memory->data());
  const auto made = std::make_shared<LlamaWeights>(LlamaWeights{config, {}, memory});
  made->tensors.layers.resize(config.layers);
  Random random(1);
  const double scale = 1.7 / std::sqrt(double(config.dim));
  const auto fill = [&](std::span<real> numbers) {
    for (real& x : numbers) x = static_cast<real>(scale * (2 * random.uniform() - 1));
  };
  for_each_parameter(config, made->tensors, [&]<size_t N>(const std::string&, const Shape<N>& shape, auto& to) {
    const View<real, N> numbers(reinterpret_cast<real*>(free), shape);
    if constexpr (N == 1) {
      fill(numbers.span());
      to = numbers;
    } else if (const auto packed = packed_type(type)) {
      std::vector<real> row(shape[1]);
      for (size_t i = 0; i < shape[0]; ++i) {
        fill(row);
        std::string stored;
        encode_elements(type, row, stored);
        simd::pack_row(*packed, reinterpret_cast<const std::byte*>(stored.data()), shape[1], i, free);
      }
      to = Weight(simd::PackedRows{*packed, free, 0, shape[0], shape[1]});
    } else {
      fill(numbers.span());
      to = Weight(numbers);
    }
    free += packed_tensor_bytes(type, shape);
  });
  if (config.tied_embeddings) made->tensors.head = made->tensors.embedding;
  return made;
}

struct Packed {
  std::shared_ptr<const LlamaWeights> weights;
  Decoder decoder;
  std::vector<std::int32_t> tokens;

  Packed(std::shared_ptr<const LlamaWeights> w, size_t count, size_t threads)
      : weights(std::move(w)),
        decoder(*weights, count, default_chunk, threads),
        tokens(some_tokens(weights->config, count)) {}

  /// All tokens, so many at a time.
  void feed(size_t together) {
    decoder.reset();
    for (std::span<const std::int32_t> left = tokens; !left.empty(); left = left.subspan(together))
      decoder.feed(left.first(together));
  }
};

}  // namespace

std::vector<Case> packed_cases(const Setting& setting) {
  constexpr size_t prompt = 512, generated = 128;
  std::vector<NamedConfig> shapes = known_configs();
  if (setting.config) shapes.push_back(*setting.config);
  std::vector<Case> cases;
  for (const ElementType type : setting.types)
    for (const NamedConfig& s : shapes) {
      const size_t block = type_layout(type).numbers;
      if (s.config.dim % block != 0 || s.config.hidden_dim % block != 0) continue;  // rows are no whole number of them
      const auto shared = std::make_shared<std::weak_ptr<const LlamaWeights>>();
      const auto weights = [=] {
        auto made = shared->lock();
        if (!made) *shared = made = packed_weights(s.config, type);
        return made;
      };
      const size_t bytes = weight_bytes(s.config, type);
      const bool large = parameter_count(s.config) > (size_t{1} << 29);
      for (const size_t together : {prompt, size_t{16}, size_t{8}, size_t{4}, size_t{2}, size_t{1}}) {
        const size_t count = together == prompt ? prompt : large ? generated / 8 : generated;
        Case c = {.name = together == prompt ? "prefill" : together == 1 ? "decode" : fmt::format("{} tokens", together),
                  .shape = s.name,
                  .type = std::string(type_layout(type).name),
                  .target = setting.target,
                  .threads = setting.threads(),
                  .unit = "tokens/s"};
        c.on_request = large && !setting.config;
        c.amount = double(count);
        const size_t cached = KvCache::bytes(s.config.layers, count / 2, s.config.kv_heads, s.config.head_dim);
        if (together == 1) c.work = {0, double(count) * double(bytes + cached), bytes + cached};
        c.prepare = [=, threads = setting.threads()] {
          return [run = std::make_shared<Packed>(weights(), count, threads), together] { run->feed(together); };
        };
        cases.push_back(std::move(c));
      }
    }
  return cases;
}

}  // namespace cria::bench
