#include "app/run/model_writer.hpp"

#include <algorithm>

#include "app/thread_count.hpp"
#include "chapters/09-sampling/generate.hpp"

namespace cria {

ModelWriter::ModelWriter(const ModelWriterOptions& options, size_t texts)
    : answering_(open_answering_model(options.model, "", options.sampling)), tokens_(options.tokens) {
  const PackedModel& model = answering_.model;
  generation_.sampling = answering_.sampling;
  encoder_.emplace(open_encoder(answering_.path, model, answering_.ends));
  context_ = std::min<size_t>(model.config.llama.context, 4096);
  constexpr size_t places = 16;
  decoder_.emplace(model.weights, std::min(places, texts), context_, thread_count(options.threads));
}

std::vector<std::string> ModelWriter::operator()(std::span<const TextPrompt> prompts,
                                                 std::span<const std::string> stops) {
  std::vector<std::string> texts(prompts.size());
  std::vector<TextRequest> requests;
  std::vector<size_t> of;  // which prompt each is
  generation_.stops.assign(stops.begin(), stops.end());
  for (size_t i = 0; i < prompts.size(); ++i) {
    std::vector<TokenId> prompt = encoder_->prompt(prompts[i].messages);
    const std::vector<TokenId> beginning = answering_.model.tokenizer->encode_continuation(prompts[i].beginning);
    prompt.insert(prompt.end(), beginning.begin(), beginning.end());
    ++generation_.sampling.seed;
    if (prompt.size() >= context_) continue;
    generation_.tokens = std::min(tokens_, context_ - prompt.size());
    requests.push_back({std::move(prompt), generation_});
    of.push_back(i);
  }
  for (FinishedText& text : generate_texts(*decoder_, *answering_.model.tokenizer, requests, answering_.ends))
    if (text.result.ended) texts[of[text.request]] = std::move(text.text);
  return texts;
}

}  // namespace cria
