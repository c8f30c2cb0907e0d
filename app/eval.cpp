// cria eval: how well a model predicts a text.
#include "app/eval.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "app/sample.hpp"
#include "app/train.hpp"
#include "chapters/11-pretraining/pretraining.hpp"
#include "chapters/12-open-weights/open_model.hpp"
#include "lib/base/check.hpp"

namespace cria {

int run_eval(const EvalOptions& options) {
  const std::filesystem::path folder = model_folder(options.model);
  const Model model = open_model(folder);
  if (!model.tokenizer)
    throw UserError(fmt::format("{} has no tokenizer.json, expected one to turn text into tokens", folder.string()));
  Recipe recipe = std::filesystem::exists(folder / "recipe.yaml") ? read_recipe(folder / "recipe.yaml") : Recipe();
  recipe.training.positions = model.config.llama.context;
  recipe.training.batch = 1;  // one window at a time, shared out between threads
  recipe.validation_tokens = ~size_t{0};
  const bool documents = model.config.begin_of_text.has_value();
  const Data data(options.data, options.seed);
  const DocumentEnds ends = model_ends(model.config);
  const Validation validation = data.is_stories() ? open_corpus(data, *model.tokenizer, recipe, ends).validation
                                                  : open_validation(data, *model.tokenizer, recipe,
                                                                    documents ? std::optional(ends) : std::nullopt);
  ThreadPool pool(thread_count(options.threads));
  std::vector<LossEvaluator> evaluators;
  for (size_t i = 0; i < pool.size(); ++i)
    evaluators.emplace_back(model.config.llama, 1, recipe.training.positions, false);
  std::vector<double> losses(
      validation.batches.size());  // summed in order, so the figure has the same bits at any thread count
  pool.for_each(evaluators.size(), [&](size_t i) {
    for (size_t b = i; b < losses.size(); b += evaluators.size())
      losses[b] = evaluators[i].forward(model.weights, validation.batches[b].batch());
  });
  size_t batch = 0;
  const double loss = validation.loss([&](const Batch&) { return losses[batch++]; });
  if (!std::isfinite(loss))
    throw UserError(
        fmt::format("{}: the loss is NaN or infinite, so the model's weights are probably damaged", folder.string()));
  const double bits = validation.bits_per_byte(loss);
  if (options.json) {
    nlohmann::ordered_json report = {{"tokens", validation.targets},
                                     {"bytes", validation.bytes},
                                     {"nats_per_token", loss},
                                     {"bits_per_byte", bits},
                                     {"perplexity", std::exp(loss)}};
    report["floor"] = validation.floor ? nlohmann::ordered_json(*validation.floor) : nullptr;
    fmt::print("{}\n", report.dump());
    return 0;
  }
  fmt::print("{} tokens, {:.0f} bytes\n", validation.targets, validation.bytes);
  fmt::print("nats per token  {:.4f}\nbits per byte   {:.4f}\nperplexity      {:.3f}\n", loss, bits, std::exp(loss));
  if (validation.floor)
    fmt::print("floor           {:.4f} bits per byte; {:.3f} times it\n", *validation.floor, bits / *validation.floor);
  return 0;
}

}  // namespace cria
