// Splitting a text into pieces (roughly words) before BPE: tokens never cross the border between two pieces.
//
// The patterns are published regular expressions, as scanners written by hand; classes of characters come from
// utf8proc. Left out: any other pattern. A test compares with PCRE2 on random text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace cria {

enum class SplitPattern {
  none,
  gpt2,
  smollm,  // GPT-2's, with each digit by itself: SmolLM, StarCoder
  llama3,
  qwen2,       // Llama 3's, with each digit by itself
  cl100k,      // Llama 3's, but for spaces at the end of a text: tiktoken's for GPT-4
  llama_cpp,   // what llama.cpp does where a file names no pattern: punctuation by itself, digits in threes
  blanks,      // in front of each run of blanks: where SentencePiece's tokens never reach across
  each_blank,  // in front of each blank (Hugging Face's Metaspace)
};

/// The published regular expression; empty for none. (SmolLM's is published in two steps, here in one.)
std::string_view split_regex(SplitPattern pattern);

/// The pattern that an expression is another spelling of, if it is known.
std::optional<SplitPattern> split_pattern_of(std::string_view regex);

/// A pattern by the name that stands above; anything else is a UserError.
SplitPattern split_pattern_from_name(std::string_view name);
std::string_view split_pattern_name(SplitPattern pattern);

/// Where the piece that begins at `begin` (< text.size()) ends. A byte that is not UTF-8 counts as a symbol.
std::size_t piece_end(SplitPattern pattern, std::string_view text, std::size_t begin);

/// Calls use(piece) for each piece in order; together they are the text.
template <class Use>
void for_each_piece(SplitPattern pattern, std::string_view text, Use use) {
  for (std::size_t begin = 0, end; begin < text.size(); begin = end) {
    end = piece_end(pattern, text, begin);
    use(text.substr(begin, end - begin));
  }
}

/// The last place in the text, before `limit`, that is a border between pieces whatever comes before or after; 0 if
/// there is none. A space after a visible ASCII character is one: no pattern has a piece with that in its middle,
/// nor looks ahead over it.
std::size_t last_safe_border(std::string_view text, std::size_t limit);

struct Character {
  std::int32_t code_point;  // -1: the byte is not the start of a valid UTF-8 sequence
  std::size_t size;         // in bytes, at least 1
};
/// The character at `at` (< text.size()).
Character character_at(std::string_view text, std::size_t at);

/// How many characters a text in UTF-8 has.
std::size_t count_characters(std::string_view text);

/// Whether all of the text is UTF-8.
bool is_utf8(std::string_view text);

}  // namespace cria
