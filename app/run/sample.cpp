// cria sample: a model tells on.
#include "app/run/sample.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "app/machines/digest.hpp"
#include "app/machines/divided_model.hpp"
#include "app/output.hpp"
#include "app/run/adapter.hpp"
#include "app/run/cache_type.hpp"
#include "app/run/sample_many.hpp"
#include "app/thread_count.hpp"
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

namespace {

/// A text as it was told.
struct ToldText {
  const std::string &prompt, &text;
  size_t prompt_tokens;
  double seconds;
};

/// Ends the text on the screen, or writes it as JSON; and says how a draft did.
void report(const SampleOptions& options, const ToldText& told, const GenerationResult& result,
            const SpeculationFigures& figures) {
  const bool drafts = !options.draft.model.empty();
  const double speed = double(result.tokens.size()) / told.seconds;
  if (!options.json) {
    fmt::print("\n");
    if (drafts)
      fmt::print(stderr, "cria: {} tokens in {} passes: {} of {} drafted tokens accepted, {:.1f} %; {:.0f} tokens/s\n",
                 result.tokens.size(), figures.passes, figures.accepted, figures.drafted, 100 * figures.acceptance(),
                 speed);
    return;
  }
  nlohmann::ordered_json json = {
      {"prompt", told.prompt},          {"text", told.text},     {"prompt_tokens", told.prompt_tokens},
      {"tokens", result.tokens.size()}, {"ended", result.ended}, {"seconds", told.seconds},
      {"tokens_per_second", speed}};
  if (drafts) json.update({{"passes", figures.passes}, {"drafted", figures.drafted}, {"accepted", figures.accepted}});
  fmt::print("{}\n", json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

/// What ranks have to have alike that sample one text, each for itself.
void require_alike(DividedModel& divided, const SampleOptions& options, const PackedModel& model,
                   const GenerationOptions& generation, const std::vector<TokenId>& ends,
                   const Constraints& constraints) {
  if (!divided.is_divided()) return;
  Digest asked = digest_of(generation);
  asked.add(ends).add(constraints.source()).add(options.cache_type).add(options.parallel);
  divided.require_alike({{"another model", digest_of(model).text()},
                         {"another tokenizer", model.tokenizer ? digest_of(model.tokenizer->model()).text() : ""},
                         {"other options or another generation_config.json", asked.text()}});
}

}  // namespace

int run_sample(const SampleOptions& options) {
  DividedModel divided(options.parallel);
  const std::filesystem::path folder = model_folder(options.model);
  PackedModel model;
  CacheType cache_type{};
  GenerationOptions generation;
  std::vector<TokenId> ends;
  std::optional<Constraints> constraints;
  std::string prompt_text;
  LlamaConfig config;
  const bool many = options.count || !options.prompts.empty(), drafts = !options.draft.model.empty();
  divided.prepare([&] {
    if (many && divided.is_divided())
      throw UserError("--count and --prompts are for one process; start that without mpirun");
    if (drafts && divided.is_divided()) throw UserError("--draft is for one process; start that without mpirun");
    if (divided.is_divided() && options.parallel == "tensor" && !options.adapter.empty())
      throw UserError("an adapter cannot be divided among ranks: merge it first");
    model = open_packed_model(folder, {}, divided.kept());
    model.weights = with_adapter(model.weights, options.adapter);
    config = model.config.llama;
    cache_type = read_cache_type(options.cache_type, config);
    const GenerationConfig defaults = read_generation_config(folder, config.vocabulary_size);
    generation = {choose_sampling(options.sampling, defaults.sampling), options.tokens, options.stops};
    ends = defaults.with_ends(model.config.end_of_text);
    constraints.emplace(options.schema, options.grammar, model, ends);
    if (!many && divided.leads()) prompt_text = read_prompt(options.prompt, options.prompt_file);
    if (!many) StopStrings(generation.stops);  // refused here, before the prompt is shown
  });
  if (many) return sample_many(options, model, ends, generation, *constraints, cache_type);
  require_alike(divided, options, model, generation, ends, *constraints);
  divided.share(prompt_text);
  std::vector<TokenId> prompt;
  divided.prepare([&] {
    model.weights = divided.part_of(model.weights);
    prompt = prompt_tokens(model, prompt_text);
    generation.constraint = constraints->of(prompt_text);
  });
  if (prompt.size() > config.context && divided.leads())
    fmt::print(stderr, "cria: the prompt has {} tokens, more than the model's context of {}: it forgets the first {}\n",
               prompt.size(), config.context, prompt.size() - config.context);
  divided.run([&] {
    // As many positions as there will be, and no more than the model was trained for; a prompt in pieces that depend on
    // the whole model, as all ranks must take the same.
    const size_t positions = positions_of({prompt, generation}, config.context);
    std::string text;
    const auto show = [&](std::string_view part) {
      text += part;
      if (options.json || !divided.leads()) return;
      print_bytes(part);
      flush_output();
    };
    const auto small = drafts ? open_draft(options.draft, model) : std::nullopt;
    if (!options.json) show(prompt_text);
    const auto begin = std::chrono::steady_clock::now();
    SpeculationFigures figures;
    const auto generate = [&] {
      const size_t threads = thread_count(options.threads);
      if (drafts)
        return speculate(options.draft, small ? &*small : nullptr, model, positions, cache_type, threads, prompt, ends,
                         generation, show, figures);
      Decoder decoder(model.weights, positions, decoder_chunk(config, positions), threads, cache_type);
      return generate_text(decoder, *model.tokenizer, prompt, ends, generation, show);
    };
    const GenerationResult result = generate();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (divided.leads()) report(options, {prompt_text, text, prompt.size(), seconds}, result, figures);
  });
  return 0;
}

}  // namespace cria
