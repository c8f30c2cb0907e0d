// Prompts and generated tokens, at the shapes that others publish figures for; random weights take as long as learned
// ones.
#include "app/bench/inference.hpp"

#include <fmt/format.h>

#include <cmath>

#include "app/bench/sections.hpp"
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

/// The weights of one shape, made when first asked for and shared by the cases that hold them.
class SharedWeights {
 public:
  explicit SharedWeights(const LlamaConfig& shape) : config_(shape) {}
  std::shared_ptr<const LlamaParameters> get() {
    std::shared_ptr<const LlamaParameters> weights = made_.lock();
    if (!weights) made_ = weights = random_weights(config_);
    return weights;
  }

 private:
  LlamaConfig config_;
  std::weak_ptr<const LlamaParameters> made_;
};

struct Inference {
  std::shared_ptr<const LlamaParameters> weights;
  Decoder decoder;
  std::vector<std::int32_t> tokens;

  Inference(std::shared_ptr<const LlamaParameters> w, size_t count, size_t threads)
      : weights(std::move(w)), decoder(make_decoder(*weights, count, threads)), tokens(some_tokens(weights->config(), count)) {}

  void prefill() {
    decoder.reset();
    decoder.feed(tokens);
  }
  void decode() {
    decoder.reset();
    for (const std::int32_t& token : tokens) decoder.feed({&token, 1});
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

Decoder make_decoder(const LlamaParameters& weights, size_t capacity, size_t threads) {
  return Decoder(weights, capacity, default_chunk, threads);
}

std::vector<Case> inference_cases(const Setting& setting) {
  constexpr size_t prompt = 512, generated = 128;
  std::vector<NamedConfig> shapes = known_configs();
  if (setting.config) shapes.push_back(*setting.config);
  const size_t threads = setting.threads();
  std::vector<Case> cases;
  for (const NamedConfig& s : shapes) {
    auto shared = std::make_shared<SharedWeights>(s.config);
    const size_t weights = parameter_count(s.config) * sizeof(real);
    const bool large = weights > (size_t{3} << 30);

    Case c = {.name = "prefill", .shape = s.name, .target = setting.target, .threads = threads, .unit = "tokens/s"};
    c.on_request = large && !setting.config;
    c.amount = prompt;
    c.work.operations = prompt_operations(s.config, prompt);
    c.prepare = [=] { return [run = std::make_shared<Inference>(shared->get(), prompt, threads)] { run->prefill(); }; };
    cases.push_back(c);

    const size_t count = large ? generated / 8 : generated;
    c.name = "decode";
    c.amount = double(count);
    // Each token reads all weights, and the keys and values of those before it.
    const size_t cached = KvCache::bytes(s.config.layers, count / 2, s.config.kv_heads, s.config.head_dim);
    c.work = {double(count) * forward_operations_per_token(s.config, count / 2),
              double(count) * double(weights + cached), weights + cached};
    c.prepare = [=] { return [run = std::make_shared<Inference>(shared->get(), count, threads)] { run->decode(); }; };
    cases.push_back(std::move(c));
  }
  return cases;
}

}  // namespace cria::bench
