#include "app/run/answering_model.hpp"

#include "app/run/adapter.hpp"
#include "chapters/11-pretraining/generation_config.hpp"
#include "chapters/12-open-weights/model_template.hpp"
#include "lib/base/check.hpp"

namespace cria {

PackedModel open_with_tokenizer(const std::filesystem::path& path) {
  PackedModel model = open_packed_model(path);
  if (!model.tokenizer) throw UserError(path.string() + " has no tokenizer, expected one to turn text into tokens");
  return model;
}

std::filesystem::path AnsweringModel::format_folder() const { return cria::format_folder(path, model, adapter); }

AnsweringModel open_answering_model(const std::string& model, const std::string& adapter,
                                    const SamplingChoice& choice) {
  AnsweringModel answering{model_folder(model), adapter, {}, {}, {}};
  answering.model = open_with_tokenizer(answering.path);
  answering.model.weights = with_adapter(answering.model.weights, adapter);
  const GenerationConfig defaults =
      read_generation_config(answering.path, answering.model.config.llama.vocabulary_size);
  answering.sampling = choose_sampling(choice, defaults.sampling);
  answering.ends = defaults.with_ends(answer_ends(answering.model));
  return answering;
}

}  // namespace cria
