// Slots: what of a story a request may ask for.
#pragma once

#include <optional>
#include <string>

#include "lib/grammar/grammar.hpp"

namespace cria {

/// The value that a story gives to a slot, from the rows that it drew and the number of its sentences; nothing when it
/// has not drawn a row that the value is made of.
std::optional<std::string> slot_value(const Grammar& grammar, const Slot& slot, const DrawnRows& rows,
                                      size_t sentences);

/// The thread that must be drawn next for the slot to have a value; nothing when it has one.
std::optional<std::uint32_t> missing_thread(const Grammar& grammar, const Slot& slot, const DrawnRows& rows);

/// Throws UserError "file:line: …" when a slot's value is not fixed by rows that every story draws, when a slot or the
/// requests have no wording, or when there are slots without requests or the other way round.
void check_slots(const Grammar& grammar, const std::string& file);

}  // namespace cria
