#include "app/model_writer.hpp"

#include <algorithm>

#include "app/train.hpp"
#include "chapters/09-sampling/generate.hpp"
#include "chapters/11-pretraining/generation_config.hpp"
#include "chapters/12-open-weights/model_template.hpp"
#include "lib/base/check.hpp"

namespace cria {

ModelWriter::ModelWriter(const ModelWriterOptions& options, size_t texts)
    : path_(model_folder(options.model)), model_(open_packed_model(path_)), tokens_(options.tokens) {
  if (!model_.tokenizer) throw UserError(path_.string() + " has no tokenizer, expected one to turn text into tokens");
  const GenerationConfig defaults = read_generation_config(path_, model_.config.llama.vocabulary_size);
  generation_.sampling = choose_sampling(options.sampling, defaults.sampling);
  ends_ = answer_ends(model_);
  ends_.insert(ends_.end(), defaults.end_of_text.begin(), defaults.end_of_text.end());
  encoder_.emplace(open_encoder(path_, model_, ends_));
  context_ = std::min<size_t>(model_.config.llama.context, 4096);
  constexpr size_t places = 16;
  decoder_.emplace(model_.weights, std::min(places, texts), context_, thread_count(options.threads));
}

std::vector<std::string> ModelWriter::operator()(std::span<const TextPrompt> prompts,
                                                 std::span<const std::string> stops) {
  std::vector<std::string> texts(prompts.size());
  std::vector<TextRequest> requests;
  std::vector<size_t> of;  // which prompt each is
  generation_.stops.assign(stops.begin(), stops.end());
  for (size_t i = 0; i < prompts.size(); ++i) {
    std::vector<TokenId> prompt = encoder_->prompt(prompts[i].messages);
    const std::vector<TokenId> beginning = model_.tokenizer->encode_continuation(prompts[i].beginning);
    prompt.insert(prompt.end(), beginning.begin(), beginning.end());
    ++generation_.sampling.seed;
    if (prompt.size() >= context_) continue;
    generation_.tokens = std::min(tokens_, context_ - prompt.size());
    requests.push_back({std::move(prompt), generation_});
    of.push_back(i);
  }
  for (FinishedText& text : generate_texts(*decoder_, *model_.tokenizer, requests, ends_))
    if (text.result.ended) texts[of[text.request]] = std::move(text.text);
  return texts;
}

}  // namespace cria
