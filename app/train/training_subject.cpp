#include "app/train/training_subject.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "chapters/01-bpe/tokenizer_files.hpp"
#include "chapters/12-open-weights/named_scaling.hpp"
#include "chapters/12-open-weights/open_model.hpp"
#include "chapters/12-open-weights/packed_model.hpp"
#include "chapters/14-sft/extended_vocabulary.hpp"
#include "lib/base/check.hpp"

namespace cria {

TrainingSubject new_subject(const TrainOptions& options, const Data& data, const Recipe& recipe) {
  const std::string kind = options.tokenizer.empty() ? "bpe" : options.tokenizer;
  TrainingSubject subject{{recipe.model, {}, {}}, std::make_unique<Tokenizer>(make_tokenizer(kind, data, recipe))};
  subject.config.llama.vocabulary_size = subject.tokenizer->vocabulary_size();
  subject.ends = document_ends(*subject.tokenizer, std::filesystem::exists(options.tokenizer) ? options.tokenizer : "");
  return subject;
}

namespace {

/// The model with the tokenizer in the folder in place of its own: what both have stays, and a token that is new begins
/// as the mean of what it was made of.
void renew_vocabulary(Model& model, const std::string& folder) {
  auto renewed = std::make_unique<Tokenizer>(load_tokenizer(folder));
  const std::vector<std::vector<TokenId>> pieces = old_pieces(*model.tokenizer, *renewed);
  const auto renew = [&](TokenId& id) {
    const auto same = std::ranges::find(pieces, std::vector{id});
    if (same == pieces.end())
      throw UserError(fmt::format("the tokenizer in {} has no {}, which the model's texts begin or end with", folder,
                                  in_quotes(model.tokenizer->piece(id))));
    id = TokenId(same - pieces.begin());
  };
  if (model.config.begin_of_text) renew(*model.config.begin_of_text);
  for (TokenId& end : model.config.end_of_text) renew(end);
  model.weights = with_vocabulary(model.weights, pieces);
  model.config.llama.vocabulary_size = pieces.size();
  model.tokenizer = std::move(renewed);
}

TrainingSubject described(ModelConfig config, std::unique_ptr<Tokenizer> tokenizer, const TrainOptions& options,
                          Recipe& recipe) {
  if (!tokenizer)
    throw UserError(fmt::format("{} has no tokenizer.json, expected one to turn text into tokens", options.from));
  config.llama.rope_scaling = named_scaling(config.llama);
  LlamaConfig wanted = config.llama, unsaid = Recipe().model;
  if (recipe.training.positions > wanted.context)
    throw UserError(fmt::format("data.context is {}, but {} reads at most {} tokens", recipe.training.positions,
                                options.from, wanted.context));
  for (LlamaConfig* other : {&unsaid, &recipe.model})
    other->context = wanted.context, other->vocabulary_size = wanted.vocabulary_size;
  if (!options.recipe.empty() && recipe.model != wanted && recipe.model != unsaid)
    throw UserError(fmt::format("{}: its section model is not that of {}; leave it out", options.recipe, options.from));
  recipe.model = wanted;
  TrainingSubject subject{std::move(config), std::move(tokenizer)};
  subject.ends = model_ends(subject.config);
  if (!subject.ends.begin)
    subject.ends = document_ends(*subject.tokenizer, options.tokenizer.empty() ? options.from : options.tokenizer);
  return subject;
}

}  // namespace

TrainingSubject subject_from_model(const TrainOptions& options, Recipe& recipe) {
  if (!options.tokenizer.empty() && !std::filesystem::exists(options.tokenizer))
    throw UserError(
        fmt::format("--tokenizer is {}, but a model has its tokenizer: with --from, expected the folder of "
                    "one that has more tokens",
                    in_quotes(options.tokenizer)));
  Model model = open_model(options.from);
  if (model.tokenizer && !options.tokenizer.empty()) renew_vocabulary(model, options.tokenizer);
  TrainingSubject subject = described(std::move(model.config), std::move(model.tokenizer), options, recipe);
  subject.weights = std::move(model.weights);
  return subject;
}

TrainingSubject packed_subject(const TrainOptions& options, Recipe& recipe, LlamaWeights& weights) {
  PackedModel model = open_packed_model(options.from);
  weights = std::move(model.weights);
  return described(std::move(model.config), std::move(model.tokenizer), options, recipe);
}

TrainingSubject resumed_subject(const RunFolder& folder) {
  TrainingSubject subject{read_config(folder / "config.json"),
                          std::make_unique<Tokenizer>(load_tokenizer(folder.path()))};
  subject.ends = model_ends(subject.config);
  return subject;
}

}  // namespace cria
