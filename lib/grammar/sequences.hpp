// Turns the text of an alternative, or of a field, into symbols.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "lib/grammar/grammar.hpp"
#include "lib/grammar/lines.hpp"

namespace cria {

/// The rules and lists of a grammar by their names.
struct Names {
  std::map<std::string, std::uint32_t> rules, threads;
};

/// The symbols of `text`, which stands in `line`. Adds a rule without a name to the grammar for each (a|b). Throws
/// UserError "file:line: …" for brackets that do not close, and for names that are not there.
Sequence read_sequence(std::string_view text, const Line& line, const Names& names, Grammar& grammar);

}  // namespace cria
