// Comparisons of answers, as files have them: for chapters 16 (reward models) and 19 (DPO).
//
// Read is TRL's form (huggingface.co/docs/trl/dataset_formats): objects with "chosen" and "rejected", texts or lists of
// messages, and "prompt", a text or a list of messages, which lists of messages may begin with instead; Alpaca's
// "instruction" and "input" serve as well. "margin" says by how much the chosen answer is better, where a file has it.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chapters/11-pretraining/data.hpp"
#include "chapters/12-open-weights/chat_message.hpp"

namespace cria {

/// Two answers to a conversation that ends with a question.
struct Preference {
  std::vector<Message> prompt;
  std::string chosen, rejected;
  double margin = 0;
  std::string place = {};  // "file, example 3"
};

/// All of all files. Throws UserError "file, example N: …" for what has no such form, for a preference that is missing,
/// empty answers, and answers that are the same.
std::vector<Preference> read_preferences(const Data& data);

/// Writes them as a JSON list, one to a line; a prompt that is a single question as a text.
void write_preferences(std::span<const Preference> preferences, const std::function<void(std::string_view)>& write);

}  // namespace cria
