// Conversations to learn from, as files have them.
//
// Read are Alpaca's form, objects with "instruction", "input" and "output", and OpenAI's, objects with "messages"; a
// file is a JSON list of such objects, or has one on each line (JSONL). An answer with "weight": 0 is only read, as in
// OpenAI's form. Left out: ShareGPT's "conversations", tools, other weights.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <span>
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

/// A conversation as a file has it.
struct Conversation {
  std::vector<Message> messages;
  std::vector<bool> learned;  // of each message: whether it is an answer to learn, and not one that is only read
};

/// What Alpaca's prompt has for an instruction with an input. Without one, it is the instruction alone.
std::string alpaca_question(const std::string& instruction, const std::string& input);
/// The question of an object in Alpaca's form. Throws UserError that begins with `place`.
std::vector<Message> alpaca_prompt(const nlohmann::json& example, const std::string& place);

/// What an example asks first, in either form: the instruction without its input, or the user's first message. Throws
/// UserError with its place where there is none.
std::string first_question(const nlohmann::json& example, const std::string& place);

/// All examples of all files; a conversation with several answers to learn is one for each. Throws UserError "file,
/// example N: …" for what is neither form, for keys that are missing or no text, and for empty answers.
std::vector<Instruction> read_instructions(const Data& data);

/// Writes them one a line, as messages. Bytes that are not UTF-8 are written as U+FFFD.
void write_conversations(const std::filesystem::path& file, std::span<const Conversation> conversations);

}  // namespace cria
