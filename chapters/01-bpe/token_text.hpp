// How tokens stand in a tokenizer.json, whose strings are Unicode while tokens are bytes. GPT-2 writes each byte as a
// character: a visible one as itself, the 68 others as U+0100, U+0101, …, so that a space is "Ġ" and a line end "Ċ".
// A tokenizer of characters needs no such detour: its tokens stand there as they are.
#pragma once

#include <string>
#include <string_view>

#include "chapters/01-bpe/bpe_model.hpp"

namespace cria {

std::string to_json_string(std::string_view bytes, Alphabet alphabet);

/// Throws UserError for a character that stands for no byte.
std::string from_json_string(const std::string& text, Alphabet alphabet);

}  // namespace cria
