// Conversations to learn from, as files have them.
//
// Read are Alpaca's form, objects with "instruction", "input" and "output", and OpenAI's, objects with "messages"; a
// file is a JSON list of such objects, or has one on each line (JSONL). Left out: ShareGPT's "conversations", tools,
// weights.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "chapters/11-pretraining/data.hpp"
#include "chapters/12-open-weights/chat_message.hpp"

namespace cria {

/// A conversation whose last message is the answer to learn, and where it stands, for messages.
struct Instruction {
  std::vector<Message> messages;
  std::string place;  // "file, example 3"
};

/// What Alpaca's prompt has for an instruction with an input. Without one, it is the instruction alone.
std::string alpaca_question(const std::string& instruction, const std::string& input);
/// The question of an object in Alpaca's form. Throws UserError that begins with `place`.
std::vector<Message> alpaca_prompt(const nlohmann::json& example, const std::string& place);

/// All examples of all files; a conversation with several answers is one for each. Throws UserError "file, example N:
/// …" for what is neither form, for keys that are missing or no text, and for empty answers.
std::vector<Instruction> read_instructions(const Data& data);

}  // namespace cria
