#include "app/look/checkpoint_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <numbers>
#include <vector>

#include "app/look/next_data.hpp"
#include "app/look/token_data.hpp"
#include "app/run/sample.hpp"
#include "app/weights/model_text.hpp"
#include "chapters/11-pretraining/checkpoint.hpp"
#include "chapters/12-open-weights/open_model.hpp"

namespace cria::look {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr size_t most_models = 32, top = 5;

double bits_of(std::span<const real> logits, TokenId token) {
  double largest = logits[0], sum = 0;
  for (const real logit : logits) largest = std::max(largest, double(logit));
  for (const real logit : logits) sum += std::exp(double(logit) - largest);
  return (largest + std::log(sum) - double(logits[size_t(token)])) / std::numbers::ln2;
}

/// Those of some steps, and the run's last one.
std::map<size_t, fs::path> models_of(const fs::path& run) {
  if (!fs::is_directory(run)) return {};  // it is only a log
  std::map<size_t, fs::path> models = kept_models(run);
  if (fs::exists(run / checkpoint_file) && !models.empty())
    models.try_emplace(read_training_state(run / checkpoint_file).step, run);
  return models;
}

/// Evenly so many of them, the first and the last included.
std::map<size_t, fs::path> thinned(const std::map<size_t, fs::path>& models) {
  if (models.size() <= most_models) return models;
  std::map<size_t, fs::path> some;
  size_t i = 0, taken = 0;
  for (const auto& model : models)
    if (i++ * (most_models - 1) >= taken * (models.size() - 1)) some.insert(model), ++taken;
  return some;
}

/// Why they cannot read this text as the page's model does; empty where they can.
std::string hindrance(const fs::path& folder, const ModelView& model, std::string_view text) {
  if (!fs::exists(folder / "model.safetensors")) return "there is no whole model in it";
  const Model kept = open_model(folder);
  if (!kept.tokenizer || first_other_token(*kept.tokenizer, *model.tokenizer)) return "it has another tokenizer";
  const std::vector<TokenId> tokens = prompt_tokens(ModelView(kept), text);
  if (tokens != prompt_tokens(model, text)) return "the text has other tokens in it";
  if (tokens.size() > kept.config.llama.context) return "the text is longer than its context";
  return "";
}

}  // namespace

json reading_data(const Passage& passage, size_t step, std::set<TokenId>& shown) {
  json bits = json::array(), next = json::array();
  for (size_t t = 0; t < passage.size(); ++t) {
    const std::span<const real> logits = passage.logits().rows(t, t + 1).span();
    if (t + 1 < passage.size()) bits.push_back(bits_of(logits, passage.tokens()[t + 1]));
    next.push_back(top_data(probabilities_of(logits), top, shown));
  }
  return {{"step", step}, {"bits", std::move(bits)}, {"top", std::move(next)}};
}

json checkpoint_data(const fs::path& run, const ModelView& model, std::string_view text, json& pieces) {
  const std::map<size_t, fs::path> all = models_of(run);
  if (all.size() < 2) return nullptr;
  if (const std::string why = hindrance(all.begin()->second, model, text); !why.empty()) {
    fmt::print(stderr, "cria: the page leaves out the models that the run kept, of {}: {}\n",
               all.begin()->second.string(), why);
    return nullptr;
  }
  const std::vector<TokenId> tokens = prompt_tokens(model, text);
  const std::map<size_t, fs::path> some = thinned(all);
  json list = json::array();
  std::set<TokenId> shown;
  for (const auto& [step, folder] : some) {
    const Model kept = open_model(folder);
    list.push_back(reading_data(Passage(kept.weights, tokens), step, shown));
  }
  pieces.update(pieces_of(*model.tokenizer, shown));
  if (some.size() < all.size())
    fmt::print(stderr, "cria: the run has kept {} models, and the page has {} of them\n", all.size(), some.size());
  return {{"list", std::move(list)}, {"left_out", all.size() - some.size()}};
}

}  // namespace cria::look
