// Prompts and generated tokens, at the shapes that others publish figures for; random weights take as long as learned
// ones.
#include "app/bench/inference.hpp"

#include <fmt/format.h>

#include <cmath>

#include "app/bench/sections.hpp"
#include "chapters/09-sampling/batch_decoder.hpp"
#include "lib/base/check.hpp"

namespace cria::bench {
namespace {

LlamaConfig config(size_t dim, size_t hidden_dim, size_t layers, size_t heads, size_t kv_heads, size_t vocabulary,
                   bool tied) {
  LlamaConfig c;
  c.dim = dim, c.hidden_dim = hidden_dim, c.layers = layers, c.heads = heads, c.kv_heads = kv_heads;
  c.head_dim = dim / heads, c.vocabulary_size = vocabulary, c.context = 2048, c.tied_embeddings = tied;
  return c;
}

struct Inference {
  std::shared_ptr<const LlamaWeights> weights;
  Decoder decoder;
  std::vector<std::int32_t> tokens;

  Inference(std::shared_ptr<const LlamaWeights> w, size_t count, size_t threads)
      : weights(std::move(w)),
        decoder(make_decoder(*weights, count, threads)),
        tokens(some_tokens(weights->config, count)) {}

  /// All tokens, so many at a time.
  void feed(size_t together) {
    decoder.reset();
    for (std::span<const std::int32_t> left = tokens; !left.empty(); left = left.subspan(together))
      decoder.feed(left.first(together));
  }
};

/// Texts side by side that go on after a prompt of one token.
struct SideBySide {
  std::shared_ptr<const LlamaWeights> weights;
  BatchDecoder decoder;
  std::vector<std::int32_t> tokens;

  SideBySide(std::shared_ptr<const LlamaWeights> w, size_t texts, size_t count, size_t threads)
      : weights(std::move(w)),
        decoder(*weights, texts, count + 1, threads),
        tokens(some_tokens(weights->config, texts * count)) {}

  void run() {
    const std::span<const std::int32_t> all = tokens;
    decoder.read(all.first(1));
    for (size_t place = 0; place < decoder.places(); ++place) decoder.begin(place);
    for (size_t at = 0; at < all.size(); at += decoder.places())
      decoder.step(all.subspan(at, decoder.places()), [](size_t, View<const real, 1>) {});
  }
};

}  // namespace

std::vector<NamedConfig> known_configs() {
  return {{"stories260K", config(64, 172, 5, 8, 4, 512, true)},
          {"15M", config(288, 768, 6, 6, 6, 32000, true)},
          {"110M", config(768, 2048, 12, 12, 12, 32000, true)},
          {"1.1B", config(2048, 5632, 22, 32, 4, 32000, false)}};
}

NamedConfig known_config(const std::string& name) {
  for (const NamedConfig& known : known_configs())
    if (known.name == name) return known;
  throw ContractError("known_config: there is no " + name);
}

std::shared_ptr<const LlamaParameters> random_weights(const LlamaConfig& shape) {
  auto weights = std::make_shared<const LlamaParameters>(shape);
  Random random(1);
  const double scale = 1.7 / std::sqrt(double(shape.dim));
  for (real& x : weights->flat()) x = static_cast<real>(scale * (2 * random.uniform() - 1));
  return weights;
}

std::vector<std::int32_t> some_tokens(const LlamaConfig& config, size_t count) {
  std::vector<std::int32_t> tokens(count);
  Random random(2);
  for (std::int32_t& token : tokens)
    token = static_cast<std::int32_t>(random.below(static_cast<std::uint32_t>(config.vocabulary_size)));
  return tokens;
}

Decoder make_decoder(const LlamaWeights& weights, size_t capacity, size_t threads) {
  return Decoder(weights, capacity, default_chunk, threads);
}

std::vector<NamedConfig> measured_configs(const Setting& setting) {
  std::vector<NamedConfig> shapes = known_configs();
  if (setting.config) shapes.push_back(*setting.config);
  return shapes;
}

void add_feeding(const Setting& setting, const NamedConfig& shape, const StoredType& weights_of,
                 std::initializer_list<size_t> batches, const MakeWeights& make, std::vector<Case>& cases) {
  constexpr size_t generated = 128;
  const auto made = std::make_shared<std::weak_ptr<const LlamaWeights>>();  // shared by the cases that hold them
  const auto weights = [=] {
    auto shared = made->lock();
    if (!shared) *made = shared = make();
    return shared;
  };
  const LlamaConfig& config = shape.config;
  const bool large = parameter_count(config) * sizeof(real) > (size_t{3} << 30);
  const auto feeding = [&](std::string name, size_t tokens) {
    Case c = {.name = std::move(name),
              .shape = shape.name,
              .type = weights_of.name,
              .target = setting.target,
              .threads = setting.threads(),
              .unit = "tokens/s"};
    c.on_request = large && !setting.config;
    c.amount = double(tokens);
    return c;
  };
  for (const size_t together : batches) {
    const size_t count = together == prompt_tokens ? prompt_tokens : large ? generated / 8 : generated;
    Case c = feeding(together == prompt_tokens ? "prefill"
                     : together == 1           ? "decode"
                                               : fmt::format("{} tokens", together),
                     count);
    if (together == prompt_tokens) {
      c.work.operations = prompt_operations(config, count);
      if (weights_of.in_blocks) {
        const double alone = forward_operations_per_token(config, 0);
        const double attention = double(count) * (forward_operations_per_token(config, double(count + 1) / 2) - alone);
        c.work.codes = c.work.operations - attention;
        c.work.operations = attention;
      }
    }
    if (together == 1) {  // each token reads all weights, and the keys and values of those before it
      const size_t read = weights_of.bytes + KvCache::bytes(config.layers, count / 2, config.kv_heads, config.head_dim);
      c.work = {
          .operations = weights_of.in_blocks ? 0 : double(count) * forward_operations_per_token(config, count / 2),
          .bytes = double(count) * double(read),
          .footprint = read};
    }
    c.prepare = [=, threads = setting.threads()] {
      return [run = std::make_shared<Inference>(weights(), count, threads), together] { run->feed(together); };
    };
    cases.push_back(std::move(c));
  }
  for (const size_t texts : {8, 32}) {
    const size_t count = large ? generated / 8 : generated;
    Case c = feeding(fmt::format("{} texts", texts), texts * count);
    if (!weights_of.in_blocks) c.work.operations = c.amount * forward_operations_per_token(config, count / 2);
    c.prepare = [=, threads = setting.threads()] {
      return [run = std::make_shared<SideBySide>(weights(), texts, count, threads)] { run->run(); };
    };
    cases.push_back(std::move(c));
  }
}

std::vector<Case> inference_cases(const Setting& setting) {
  std::vector<Case> cases;
  for (const NamedConfig& s : measured_configs(setting)) {
    const auto make = [config = s.config] {
      const auto parameters = random_weights(config);
      return std::shared_ptr<const LlamaWeights>(parameters, &static_cast<const LlamaWeights&>(*parameters));
    };
    add_feeding(setting, s, {.name = real_type, .bytes = parameter_count(s.config) * sizeof(real)}, {prompt_tokens, 1},
                make, cases);
  }
  return cases;
}

}  // namespace cria::bench
