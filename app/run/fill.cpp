// cria fill: Code Llama writes what stands between two parts of a text.
#include "app/run/fill.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "app/output.hpp"
#include "app/run/answering_model.hpp"
#include "app/run/cache_type.hpp"
#include "app/thread_count.hpp"
#include "chapters/11-pretraining/generation_config.hpp"
#include "chapters/12-open-weights/infilling.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"

namespace cria {
namespace {

/// What stands before and behind the gap.
std::pair<std::string, std::string> read_parts(const FillOptions& options) {
  if (options.file.empty()) {
    if (!options.prefix && !options.suffix)
      throw UserError("nothing to fill: expected --prefix and --suffix, or a file with " + options.marker + " in it");
    return {options.prefix.value_or(""), options.suffix.value_or("")};
  }
  if (options.prefix || options.suffix)
    throw UserError("a file and --prefix or --suffix are given, expected one of them");
  const std::string text = read_file(options.file), &marker = options.marker;
  const size_t gap = marker.empty() ? text.npos : text.find(marker);
  if (gap == text.npos || text.find(marker, gap + 1) != text.npos)
    throw UserError(fmt::format("{} has {} {}, expected it once, where something is to be written",
                                shown_path(options.file), gap == text.npos ? "no" : "more than one", marker));
  return {text.substr(0, gap), text.substr(gap + marker.size())};
}

}  // namespace

int run_fill(const FillOptions& options) {
  const auto [prefix, suffix] = read_parts(options);
  const std::filesystem::path path = model_folder(options.model);
  const PackedModel model = open_with_tokenizer(path);
  const LlamaConfig& config = model.config.llama;
  const CacheType cache_type = read_cache_type(options.cache_type, config);
  const GenerationConfig defaults = read_generation_config(path, config.vocabulary_size);
  const std::vector<TokenId> prompt =
      infilling_prompt(*model.tokenizer, model.config.begin_of_text, prefix, suffix,
                       options.suffix_first ? InfillingOrder::suffix_first : InfillingOrder::prefix_first);
  if (prompt.size() >= config.context)
    throw UserError(fmt::format("the text has {} tokens, more than the model's context of {} has room for",
                                prompt.size(), config.context));
  std::vector<TokenId> ends = defaults.with_ends(model.config.end_of_text);
  ends.push_back(find_infilling_tokens(*model.tokenizer).end);

  GenerationOptions generation;
  generation.sampling = choose_sampling(options.sampling, defaults.sampling);
  generation.tokens = std::min(options.tokens, config.context - prompt.size());
  Decoder decoder(model.weights, prompt.size() + generation.tokens, default_chunk, thread_count(options.threads),
                  cache_type);
  const auto show = [](std::string_view part) {
    print_bytes(part);
    flush_output();
  };
  const bool whole = !options.file.empty();
  if (whole) show(prefix);
  const GenerationResult result = generate_text(decoder, *model.tokenizer, prompt, ends, generation, show);
  show(whole ? suffix : "\n");
  if (!result.ended)
    fmt::print(stderr, "cria: what is written ends after {} tokens, as {}\n", result.tokens.size(),
               generation.tokens < options.tokens ? "the context is full" : "--tokens says");
  return 0;
}

}  // namespace cria
