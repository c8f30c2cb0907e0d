// Chapter 14: for how many turns a model keeps to an instruction.
#pragma once

#include <cstdint>

#include "chapters/14-sft/self_chat.hpp"
#include "lib/grammar/dialogue.hpp"

namespace cria {

struct ObedienceOptions {
  size_t dialogues = 300, turns = 8;
  std::uint64_t seed = 1;
  bool reminded = false;  // the instruction is joined to every question, else to the first
};

/// Of one turn, in how many dialogues the answer was a story, had what the instruction asks for, and what the question
/// asks for.
struct TurnObedience {
  size_t stories = 0, instruction = 0, question = 0;
};

/// Holds dialogues about the grammar's stories with a model, all side by side, and judges each answer. The answers that
/// it is shown are its own; an empty one stays. Questions and instructions are the seed's, whatever is answered.
std::vector<TurnObedience> measure_obedience(const DialogueSource& source, const ObedienceOptions& options,
                                             const WriteTexts& write);

}  // namespace cria
