// Many texts side by side: each is the one that `cria sample` tells with the same prompt and seed.
#include "app/run/sample_many.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>

#include "app/output.hpp"
#include "app/thread_count.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"

namespace cria {
namespace {

constexpr size_t most_texts = 1'000'000, most_places = 1024;

std::vector<std::string> read_prompts(const SampleOptions& options) {
  if (options.prompts.empty()) return {read_prompt(options.prompt, options.prompt_file)};
  if (options.prompt || !options.prompt_file.empty())
    throw UserError("both --prompts and one prompt are given, expected one of them");
  const std::string text = read_file(options.prompts);
  std::vector<std::string> prompts;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    prompts.push_back(text.substr(begin, end - begin));
    if (prompts.back().ends_with('\r')) prompts.back().pop_back();
    begin = end + 1;
  }
  if (prompts.empty()) throw UserError(options.prompts + " has no prompts, expected one a line");
  return prompts;
}

/// As one line: ends of lines become blanks, and those at its end go.
std::string in_a_line(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return c == '\n' || c == '\r'; }, ' ');
  text.resize(text.find_last_not_of(' ') + 1);
  return text;
}

}  // namespace

int sample_many(const SampleOptions& options, const ModelView& model, std::span<const TokenId> ends,
                const GenerationOptions& generation, const Constraints& constraints, CacheType cache_type) {
  if (!options.draft.model.empty()) throw UserError("--draft is for one text, expected neither --count nor --prompts");
  const std::vector<std::string> prompts = read_prompts(options);
  const size_t count = options.count.value_or(1);
  if (count == 0 || count > most_texts / prompts.size())
    throw UserError(fmt::format("--count is {} for {} prompts, expected 1 text or more of each, and {} at most in all",
                                count, prompts.size(), most_texts));
  if (options.batch == 0 || options.batch > most_places)
    throw UserError(fmt::format("--batch is {}, expected 1 to {}", options.batch, most_places));
  std::vector<TextRequest> requests;
  for (const std::string& prompt : prompts) {
    const std::vector<TokenId> tokens = prompt_tokens(model, prompt);
    const auto constraint = constraints.of(prompt);
    for (size_t i = 0; i < count; ++i) {
      requests.push_back({tokens, generation});
      requests.back().options.constraint = constraint;
      requests.back().options.sampling.seed = options.sampling.seed + requests.size() - 1;
    }
  }
  const LlamaConfig& config = model.config.llama;
  BatchDecoder decoder(model.weights, std::min(options.batch, requests.size()), positions_of(requests, config.context),
                       thread_count(options.threads), cache_type);

  const auto print = [&](const FinishedText& text) {
    const std::string& prompt = prompts[text.request / count];
    if (!options.json) return print_bytes(in_a_line(prompt + text.text) + '\n');
    const nlohmann::ordered_json line = {{"prompt", prompt},
                                         {"text", text.text},
                                         {"seed", requests[text.request].options.sampling.seed},
                                         {"prompt_tokens", requests[text.request].prompt.size()},
                                         {"tokens", text.result.tokens.size()},
                                         {"ended", text.result.ended}};
    print_bytes(line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n');
  };
  std::vector<std::optional<FinishedText>> waiting(requests.size());  // for those before them
  size_t printed = 0, tokens = 0;
  const auto begin = std::chrono::steady_clock::now();
  generate_texts(decoder, *model.tokenizer, requests, ends, [&](FinishedText text) {
    tokens += text.result.tokens.size();
    const size_t request = text.request;
    waiting[request] = std::move(text);
    for (; printed < waiting.size() && waiting[printed]; ++printed) {
      print(*waiting[printed]);
      waiting[printed].reset();
    }
  });
  flush_output();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  fmt::print(stderr, "cria: {} texts, {} tokens in {:.2f} s, {:.0f} tokens/s\n", requests.size(), tokens, seconds,
             double(tokens) / seconds);
  return 0;
}

}  // namespace cria
