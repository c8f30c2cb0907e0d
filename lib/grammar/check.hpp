// What must hold in a grammar as a whole, beyond the form of its lines.
#pragma once

#include "lib/grammar/grammar.hpp"

namespace cria {

/// Throws UserError "file:line: …" when a rule leads back to itself, is never used, or could give more than a
/// little story or go through millions of rules for one, when a sentence stands inside another or does not end like
/// one, or when words stand outside every sentence. Removes the spaces outside sentences: they are layout, sentences
/// are joined by one space each.
void check_grammar(Grammar& grammar);

}  // namespace cria
