// Prompts as files have them, for the methods that learn from a model's own answers: chapters 17 and 18.
//
// Read are the forms that answers are learned in: "prompt", a text or a list of messages (TRL's), Alpaca's
// "instruction" and "input", and "messages". Answers that stand behind a prompt are not looked at.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "chapters/11-pretraining/data.hpp"
#include "chapters/12-open-weights/chat_message.hpp"

namespace cria {

/// Messages that end with a question, and where they stand, for messages.
struct Prompt {
  std::vector<Message> messages;
  std::string place;  // "file, example 3"
};

/// What an example's "prompt" or "instruction" says; nothing where it has neither. Throws UserError with its place for
/// what is neither a text nor messages.
std::vector<Message> example_prompt(const nlohmann::json& example, const std::string& place);

/// All of all files. Throws UserError "file, example N: …" for an example without a prompt, and one that does not end
/// with a question.
std::vector<Prompt> read_prompts(const Data& data);

}  // namespace cria
