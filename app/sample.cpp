// cria sample: a model tells on.
#include "app/sample.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "app/adapter.hpp"
#include "app/cache_type.hpp"
#include "app/divided_model.hpp"
#include "app/output.hpp"
#include "app/sample_many.hpp"
#include "app/train.hpp"
#include "chapters/09-sampling/stop_strings.hpp"
#include "chapters/11-pretraining/generation_config.hpp"
#include "chapters/12-open-weights/packed_model.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"

namespace cria {

std::filesystem::path model_folder(const std::string& model) {
  return model.empty() ? data_folder() / "model" : std::filesystem::path(model);
}

std::vector<TokenId> prompt_tokens(const ModelView& model, std::string_view prompt) {
  if (!model.tokenizer)
    throw UserError("the model's folder has no tokenizer.json, expected one to turn text into tokens");
  std::vector<TokenId> tokens;
  if (model.config.begin_of_text) tokens.push_back(*model.config.begin_of_text);
  model.tokenizer->encode(prompt, SpecialText::plain, tokens);
  if (tokens.empty())
    throw UserError("this model was trained on one long text and needs a prompt to begin with: give one with -p");
  return tokens;
}

std::string read_prompt(const std::optional<std::string>& prompt, const std::string& file) {
  if (prompt && !file.empty()) throw UserError("both --prompt and --prompt-file are given, expected one of them");
  if (!file.empty()) return read_file(file);
  return prompt == "-" ? read_file("-") : prompt.value_or("");
}

SamplingOptions choose_sampling(const SamplingChoice& choice, const SamplingOptions& model) {
  SamplingOptions s;
  s.temperature = choice.temperature.value_or(model.temperature);
  s.top_k = choice.top_k.value_or(model.top_k);
  s.top_p = choice.top_p.value_or(model.top_p);
  s.min_p = choice.min_p.value_or(model.min_p);
  s.repetition_penalty = choice.repetition_penalty.value_or(model.repetition_penalty);
  s.seed = choice.seed;
  s.raw_seed = choice.raw_seed;
  Sampler(s, 1);  // refuses what is out of range
  return s;
}

int run_sample(const SampleOptions& options) {
  DividedModel divided(options.parallel);
  const std::filesystem::path folder = model_folder(options.model);
  PackedModel model;
  CacheType cache_type{};
  GenerationOptions generation;
  std::vector<TokenId> ends;
  std::string prompt_text;
  LlamaConfig config;
  const bool many = options.count || !options.prompts.empty();
  divided.prepare([&] {
    if (many && divided.is_divided())
      throw UserError("--count and --prompts are for one process; start that without mpirun");
    model = open_packed_model(folder);
    model.weights = with_adapter(model.weights, options.adapter);
    config = model.config.llama;
    cache_type = read_cache_type(options.cache_type, config);
    const GenerationConfig defaults = read_generation_config(folder, config.vocabulary_size);
    generation = {choose_sampling(options.sampling, defaults.sampling), options.tokens, options.stops};
    ends = model.config.end_of_text;
    ends.insert(ends.end(), defaults.end_of_text.begin(), defaults.end_of_text.end());
    if (!many && divided.leads()) prompt_text = read_prompt(options.prompt, options.prompt_file);
    if (!many) StopStrings(generation.stops);  // refused here, before the prompt is shown
    model.weights = divided.part_of(model.weights);
  });
  if (many) return sample_many(options, model, ends, generation, cache_type);
  divided.share(prompt_text);
  std::vector<TokenId> prompt;
  divided.prepare([&] { prompt = prompt_tokens(model, prompt_text); });
  if (prompt.size() > config.context && divided.leads())
    fmt::print(stderr, "cria: the prompt has {} tokens, more than the model's context of {}: it forgets the first {}\n",
               prompt.size(), config.context, prompt.size() - config.context);
  divided.run([&] {
    // As many positions as there will be, and no more than the model was trained for; a prompt in pieces that depend on
    // the whole model, as all ranks must take the same.
    const size_t capacity = positions_of({prompt, generation}, config.context);
    Decoder decoder(model.weights, capacity, decoder_chunk(config, capacity), thread_count(options.threads),
                    cache_type);
    std::string text;
    const auto show = [&](std::string_view part) {
      text += part;
      if (options.json || !divided.leads()) return;
      print_bytes(part);
      flush_output();
    };
    if (!options.json) show(prompt_text);
    const auto begin = std::chrono::steady_clock::now();
    const GenerationResult result = generate_text(decoder, *model.tokenizer, prompt, ends, generation, show);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (!divided.leads()) return;
    if (options.json) {
      const nlohmann::ordered_json report = {{"prompt", prompt_text},
                                             {"text", text},
                                             {"prompt_tokens", prompt.size()},
                                             {"tokens", result.tokens.size()},
                                             {"ended", result.ended},
                                             {"seconds", seconds},
                                             {"tokens_per_second", double(result.tokens.size()) / seconds}};
      fmt::print("{}\n", report.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    } else {
      fmt::print("\n");
    }
  });
  return 0;
}

}  // namespace cria
