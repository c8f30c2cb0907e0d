// cria sample: a model tells on.
#include "app/sample.hpp"

#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "app/output.hpp"
#include "app/train.hpp"
#include "chapters/09-sampling/stop_strings.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"

namespace cria {

std::filesystem::path model_folder(const std::string& model) {
  return model.empty() ? data_folder() / "model" : std::filesystem::path(model);
}

std::vector<TokenId> prompt_tokens(const Model& model, std::string_view prompt) {
  if (!model.tokenizer)
    throw UserError("the model's folder has no tokenizer.json, expected one to turn text into tokens");
  std::vector<TokenId> tokens;
  if (model.config.begin_of_text) tokens.push_back(*model.config.begin_of_text);
  model.tokenizer->encode(prompt, SpecialText::plain, tokens);
  if (tokens.empty())
    throw UserError("this model was trained on one long text and needs a prompt to begin with: give one with -p");
  return tokens;
}

int run_sample(const SampleOptions& options) {
  const Model model = load_model(model_folder(options.model));
  const std::vector<TokenId> prompt = prompt_tokens(model, options.prompt);
  // What generate_text would refuse is refused here, before the prompt is shown.
  Sampler(options.generation.sampling, model.config.llama.vocabulary_size), StopStrings(options.generation.stops);
  Decoder decoder(model.weights, model.config.llama.context, default_chunk, thread_count(options.threads));
  std::string text;
  const auto show = [&](std::string_view part) {
    text += part;
    if (options.json) return;
    print_bytes(part);
    flush_output();
  };
  if (!options.json) show(options.prompt);
  const auto begin = std::chrono::steady_clock::now();
  const GenerationResult result =
      generate_text(decoder, *model.tokenizer, prompt, model.config.end_of_text, options.generation, show);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (options.json) {
    const nlohmann::ordered_json report = {{"prompt", options.prompt},
                                           {"text", text},
                                           {"prompt_tokens", prompt.size()},
                                           {"tokens", result.tokens},
                                           {"ended", result.ended},
                                           {"seconds", seconds},
                                           {"tokens_per_second", double(result.tokens) / seconds}};
    fmt::print("{}\n", report.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    fmt::print("\n");
  }
  return 0;
}

}  // namespace cria
