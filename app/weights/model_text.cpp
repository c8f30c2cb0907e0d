#include "app/weights/model_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "chapters/11-pretraining/pretraining.hpp"
#include "lib/base/check.hpp"

namespace cria {

Validation read_model_text(const std::filesystem::path& path, const ModelView& model,
                           const std::vector<std::string>& sources, std::uint64_t seed, size_t positions) {
  if (!model.tokenizer)
    throw UserError(fmt::format("{} has no tokenizer.json, expected one to turn text into tokens", path.string()));
  Recipe recipe = std::filesystem::exists(path / "recipe.yaml") ? read_recipe(path / "recipe.yaml") : Recipe();
  recipe.training.positions = positions;
  recipe.training.batch = 1;
  recipe.validation_tokens = ~size_t{0};
  const Data data(sources, seed);
  const DocumentEnds ends = model_ends(model.config);
  if (data.is_drawn()) return open_corpus(data, *model.tokenizer, recipe, ends).validation;
  return open_validation(data, *model.tokenizer, recipe,
                         model.config.begin_of_text ? std::optional(ends) : std::nullopt);
}

Validation read_calibration_text(const std::filesystem::path& path, const Model& model,
                                 const std::vector<std::string>& sources) {
  constexpr size_t longest = 512;
  constexpr std::uint64_t seed = 2;  // eval's is 1
  return read_model_text(path, model, sources, seed, std::min(longest, model.config.llama.context));
}

std::optional<TokenId> first_other_token(const Tokenizer& one, const Tokenizer& other) {
  const size_t both = std::min(one.vocabulary_size(), other.vocabulary_size());
  for (size_t id = 0; id < both; ++id)
    if (one.piece(TokenId(id)) != other.piece(TokenId(id))) return TokenId(id);
  return std::nullopt;
}

}  // namespace cria
