// Chapter 14: conversations that a chat model makes by talking to itself, to be learned from.
//
// Xu et al. 2023 (Baize, arXiv:2304.01196), section 3: seed questions, and a transcript whose two speakers are one
// model. There it writes a whole transcript; here answers are written in the model's chat format, as it will be used,
// and only the next question as a transcript's next line. Left out: choosing the best of several answers.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "chapters/14-sft/instruction_data.hpp"

namespace cria {

/// What a model is shown: a conversation to answer, and how its answer begins.
struct TextPrompt {
  std::vector<Message> messages;
  std::string beginning = {};
};

/// What a model writes for each of several prompts, up to any of the texts `stops`; nothing where it came to no end, as
/// the end of an answer is learned too.
using WriteTexts =
    std::function<std::vector<std::string>(std::span<const TextPrompt> prompts, std::span<const std::string> stops)>;

/// Who speaks, in a transcript.
inline const std::string human_mark = "[|Human|]", ai_mark = "[|AI|]";

/// For the next question of a conversation: the model is asked to go on with its transcript, which ends where the human
/// is to speak.
TextPrompt question_prompt(std::span<const std::string> questions, std::span<const std::string> answers);

struct SelfChatOptions {
  size_t turns = 3;
  std::string instruction = {};  // of Ghost attention; empty: none
};

/// A conversation from each seed, its first question. All are written side by side, turn by turn. One ends early where
/// nothing is written, or a question that was asked already, and is left out without an answer. With an instruction the
/// answers are sampled under it and become ghost_conversations; else all are learned.
std::vector<Conversation> self_chat(std::span<const std::string> seeds, const SelfChatOptions& options,
                                    const WriteTexts& write);

}  // namespace cria
