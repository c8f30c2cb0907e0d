// The script of a character, as far as SentencePiece asks for it: whether two characters have the same one.
#pragma once

#include <cstdint>

namespace cria {

/// Which script a character is of. Kana count as Han, as Japanese mixes them.
enum class Script : std::uint8_t {
  common,     // of no script: punctuation, digits, symbols
  inherited,  // of the script of what stands before it: combining marks
  latin,
  other,  // `other` + i is the i-th script of the table in script.cpp
};

/// By Unicode's blocks: letters, marks and numbers in a block are of its script. Unicode's own table (Annex 24) differs
/// in single characters.
Script script_of(std::int32_t code_point);

}  // namespace cria
