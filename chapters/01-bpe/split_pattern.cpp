// The split patterns' published expressions, and their names.
#include <string>

#include "chapters/01-bpe/split.hpp"
#include "lib/base/check.hpp"

namespace cria {

std::string_view split_regex(SplitPattern pattern) {
  switch (pattern) {
    case SplitPattern::gpt2:
      return R"('(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
    case SplitPattern::smollm:
      return R"('(?:[sdmt]|ll|ve|re)| ?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+|\s+(?![^\s\p{N}])|\s+)";
    case SplitPattern::llama3:
      return R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|)"
             R"( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
    case SplitPattern::qwen2:
      return R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|)"
             R"( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
    case SplitPattern::cl100k:  // tiktoken has {1,3}+, which Hugging Face's engine reads as any number of digits
      return R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}|)"
             R"( ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s)";
    case SplitPattern::llama_cpp:
      return R"([\p{P}$+<=>^~|]+| ?\p{L}+|[0-9]{3}|(?:(?![0-9]{3})\p{N})+| ?[^\s\p{L}\p{N}\p{P}$+<=>^~|]+|)"
             R"(\s+(?=[\p{P}$+<=>^~|])|\s+(?!\S)|\s+)";
    case SplitPattern::blanks:
      return " *[^ ]*";
    case SplitPattern::each_blank:
      return " ?[^ ]*";
    case SplitPattern::none:
      break;
  }
  return "";
}

namespace {

constexpr SplitPattern patterns[] = {SplitPattern::llama3,   SplitPattern::gpt2,  SplitPattern::none,
                                     SplitPattern::smollm,   SplitPattern::qwen2, SplitPattern::cl100k,
                                     SplitPattern::llama_cpp};

// As OpenAI first wrote GPT-2's, and as tiktoken writes it since.
constexpr std::string_view gpt2_spellings[] = {
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)",
    R"('(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s)"};

}  // namespace

std::optional<SplitPattern> split_pattern_of(std::string_view regex) {
  for (SplitPattern pattern : patterns)
    if (regex == split_regex(pattern) && !regex.empty()) return pattern;
  for (std::string_view spelling : gpt2_spellings)
    if (regex == spelling) return SplitPattern::gpt2;
  return std::nullopt;
}

SplitPattern split_pattern_from_name(std::string_view name) {
  for (SplitPattern pattern : patterns)
    if (name == split_pattern_name(pattern)) return pattern;
  throw UserError("there is no split pattern " + in_quotes(name) +
                  ": expected llama3, gpt2, none, smollm, qwen2, cl100k or llama-cpp");
}

std::string_view split_pattern_name(SplitPattern pattern) {
  constexpr std::string_view names[] = {"none",   "gpt2",      "smollm", "llama3",    "qwen2",
                                        "cl100k", "llama-cpp", "blanks", "each blank"};
  return names[static_cast<int>(pattern)];
}

}  // namespace cria
