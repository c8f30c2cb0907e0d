// Chapter 14: Ghost attention, conversations from which a model learns to keep to an instruction that it was given
// once.
//
// Touvron et al. 2023 (arXiv:2307.09288), section 3.3. Left out: where instructions come from, and how answers are
// sampled: self_chat.hpp.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "chapters/14-sft/instruction_data.hpp"

namespace cria {

/// The first phase: what the model is shown for the answer to the last question, with the instruction joined to every
/// question, so that an untrained model obeys it too. Needs one question more than there are answers.
std::vector<Message> reminded_prompt(const std::string& instruction, std::span<const std::string> questions,
                                     std::span<const std::string> answers);

/// The second phase: what the model is trained on. The instruction stands in the first turn only, and the last answer
/// alone is learned: "we simply set the loss to 0 for all the tokens from the previous turns, including assistant
/// messages". Needs as many questions as answers, and one at least.
Conversation ghost_conversation(const std::string& instruction, std::span<const std::string> questions,
                                std::span<const std::string> answers);

}  // namespace cria
