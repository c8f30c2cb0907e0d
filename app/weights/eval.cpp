// cria eval: how well a model predicts a text.
#include "app/weights/eval.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "app/run/adapter.hpp"
#include "app/run/cache_type.hpp"
#include "app/run/sample.hpp"
#include "app/thread_count.hpp"
#include "app/weights/model_text.hpp"
#include "chapters/12-open-weights/open_model.hpp"
#include "chapters/12-open-weights/packed_model.hpp"
#include "chapters/13-quantisation/divergence.hpp"
#include "lib/base/check.hpp"

namespace cria {
namespace {

/// The model to compare with, whose probabilities are of the same tokens.
std::optional<Model> open_other(const EvalOptions& options, const ModelView& model) {
  if (options.against.empty()) return std::nullopt;
  Model other = open_model(options.against);
  const size_t ours = model.config.llama.vocabulary_size, theirs = other.config.llama.vocabulary_size;
  if (ours != theirs)
    throw UserError(fmt::format("{} has {} tokens, expected {} as the model has that it is held against",
                                options.against, theirs, ours));
  if (!model.tokenizer || !other.tokenizer) return other;
  if (const auto id = first_other_token(*model.tokenizer, *other.tokenizer))
    throw UserError(fmt::format("{} has another token {}, expected {} as the model has that it is held against",
                                options.against, *id, in_quotes(model.tokenizer->piece(*id))));
  return other;
}

}  // namespace

int run_eval(const EvalOptions& options) {
  const std::filesystem::path folder = model_folder(options.model);
  const std::optional<Model> floats = options.packed ? std::nullopt : std::optional(open_model(folder));
  const std::optional<PackedModel> packed = options.packed ? std::optional(open_packed_model(folder)) : std::nullopt;
  const ModelView model = packed ? ModelView(*packed) : ModelView(*floats);
  const LlamaWeights weights = with_adapter(model.weights, options.adapter);
  const CacheType cache_type = read_cache_type(options.cache_type, model.config.llama);
  const std::optional<Model> other = open_other(options, model);
  size_t positions = options.context > 0 ? options.context : model.config.llama.context;
  if (other) positions = std::min(positions, other->config.llama.context);
  // One window at a time, shared out between threads.
  const Validation validation = read_model_text(folder, model, options.data, options.seed, positions);
  ThreadPool pool(thread_count(options.threads));
  std::vector<LossEvaluator> evaluators, others;
  for (size_t i = 0; i < pool.size(); ++i) {
    evaluators.emplace_back(model.config.llama, 1, positions, false, cache_type);
    if (other) others.emplace_back(other->config.llama, 1, positions, false);
  }
  // Summed in order, so the figures have the same bits at any thread count.
  std::vector<double> losses(validation.batches.size()), divergences(validation.batches.size());
  pool.for_each(evaluators.size(), [&](size_t i) {
    for (size_t b = i; b < losses.size(); b += evaluators.size()) {
      const Batch batch = validation.batches[b].batch();
      losses[b] = evaluators[i].forward(weights, batch);
      if (!other) continue;
      others[i].forward(other->weights, batch);
      const Range rows{0, batch.tokens.size()};
      divergences[b] =
          divergence(others[i].logits().rows(rows), evaluators[i].logits().rows(rows), batch.targets.flat());
    }
  });
  size_t batch = 0;
  const double loss = validation.loss([&](const Batch&) { return losses[batch++]; });
  if (!std::isfinite(loss))
    throw UserError(
        fmt::format("{}: the loss is NaN or infinite, so the model's weights are probably damaged", folder.string()));
  const double diverged = std::accumulate(divergences.begin(), divergences.end(), 0.0) / double(validation.targets);
  if (!std::isfinite(diverged))
    throw UserError(
        fmt::format("{}: the divergence is NaN or infinite, so its weights are probably damaged", options.against));
  const double bits = validation.bits_per_byte(loss);
  if (options.json) {
    nlohmann::ordered_json report = {{"tokens", validation.targets},
                                     {"bytes", validation.bytes},
                                     {"nats_per_token", loss},
                                     {"bits_per_byte", bits},
                                     {"perplexity", std::exp(loss)}};
    if (other) report["kl_divergence"] = diverged;
    if (cache_type != CacheType::f32) report["cache_type"] = name_of(cache_type);
    report["floor"] = validation.floor ? nlohmann::ordered_json(*validation.floor) : nullptr;
    fmt::print("{}\n", report.dump());
    return 0;
  }
  fmt::print("{} tokens, {:.0f} bytes\n", validation.targets, validation.bytes);
  fmt::print("nats per token  {:.4f}\nbits per byte   {:.4f}\nperplexity      {:.3f}\n", loss, bits, std::exp(loss));
  if (other) fmt::print("KL divergence   {:.6f} nats per token, from {}\n", diverged, options.against);
  if (validation.floor)
    fmt::print("floor           {:.4f} bits per byte; {:.3f} times it\n", *validation.floor, bits / *validation.floor);
  return 0;
}

}  // namespace cria
