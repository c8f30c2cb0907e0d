// Chapter 14: Ghost attention's conversations, made from dialogues that are there and a list of instructions.
//
// Touvron et al. 2023 (arXiv:2307.09288), section 3.3. Left out: instructions that are joined to one another, and
// shortened ones.
#pragma once

#include <cstdint>

#include "chapters/14-sft/self_chat.hpp"

namespace cria {

/// A ghost_conversation of each dialogue, under one of the instructions drawn at random. Its last answer is written
/// anew, with the instruction joined to every question; the answers before it stay, and may obey or not. Left out are
/// dialogues whose new answer is empty. Throws UserError with its place for a dialogue that is not questions and
/// answers in turn.
std::vector<Conversation> ghost_data(std::span<const Instruction> dialogues, std::span<const std::string> instructions,
                                     std::uint64_t seed, const WriteTexts& write);

}  // namespace cria
