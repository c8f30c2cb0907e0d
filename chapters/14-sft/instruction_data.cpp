// Chapter 14, reading conversations.
#include "chapters/14-sft/instruction_data.hpp"

#include <fmt/format.h>

#include "chapters/14-sft/example_file.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"
#include "lib/formats/json.hpp"

namespace cria {
namespace {

/// Answers may have a weight; other messages may not, and messages_from_json refuses theirs.
Conversation read_conversation(nlohmann::json list, const std::string& place) {
  Conversation read;
  for (nlohmann::json& message : list) {
    const bool answer = message.is_object() && message.contains("role") && message["role"] == "assistant";
    read.learned.push_back(answer);
    if (!answer || !message.contains("weight")) continue;
    const nlohmann::json weight = message["weight"];
    if (weight != 0 && weight != 1)
      throw UserError(fmt::format("{}: message {}: \"weight\" is {}, expected 0 or 1", place, read.learned.size(),
                                  shown_json(weight)));
    read.learned.back() = weight == 1;
    message.erase("weight");
  }
  read.messages = messages_from_json(list, place);
  return read;
}

/// One instruction for each answer that is learned, with all that stands before it.
void add_answers(const Conversation& read, const std::string& place, std::vector<Instruction>& to) {
  const auto fail = [&](const char* message) { throw UserError(fmt::format("{}: {}", place, message)); };
  const std::vector<Message>& messages = read.messages;
  const size_t before = to.size();
  for (size_t i = 0; i < messages.size(); ++i) {
    if (messages[i].role != "assistant") continue;
    if (i == 0 || messages[i - 1].role != "user") fail("has an answer that follows no question");
    if (!has_text(messages[i].content)) fail("has an empty answer");
    if (read.learned[i]) to.push_back({{messages.begin(), messages.begin() + std::ptrdiff_t(i + 1)}, place});
  }
  if (to.size() == before) fail("has no answer to learn");
}

}  // namespace

std::string alpaca_question(const std::string& instruction, const std::string& input) {
  return input.empty() ? instruction : instruction + "\n\n### Input:\n" + input;
}

std::vector<Message> alpaca_prompt(const nlohmann::json& example, const std::string& place) {
  const std::string input = example.contains("input") ? example_text(example, "input", place) : "";
  return {{"user", alpaca_question(example_text(example, "instruction", place), input)}};
}

std::vector<Instruction> read_instructions(const Data& data) {
  std::vector<Instruction> all;
  for_each_example(data, [&](const nlohmann::json& example, const std::string& place) {
    Conversation read;
    if (example.contains("messages")) {
      read = read_conversation(example["messages"], place);
    } else if (example.contains("instruction")) {
      read = {alpaca_prompt(example, place), {false, true}};
      read.messages.push_back({"assistant", example_text(example, "output", place)});
    } else {
      throw UserError(place + ": has neither \"messages\" nor \"instruction\" and \"output\"");
    }
    add_answers(read, place, all);
  });
  return all;
}

std::string first_question(const nlohmann::json& example, const std::string& place) {
  if (example.contains("instruction")) return example_text(example, "instruction", place);
  if (example.contains("messages"))
    for (const Message& message : read_conversation(example["messages"], place).messages)
      if (message.role == "user") return message.content;
  throw UserError(place + ": has neither an \"instruction\" nor \"messages\" with a question of the user's");
}

void write_conversations(const std::filesystem::path& file, std::span<const Conversation> conversations) {
  std::string text;
  for (const Conversation& one : conversations) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (size_t i = 0; i < one.messages.size(); ++i) {
      list.push_back({{"role", one.messages[i].role}, {"content", one.messages[i].content}});
      if (one.messages[i].role == "assistant" && !one.learned[i]) list.back()["weight"] = 0;
    }
    text += nlohmann::ordered_json{{"messages", list}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) +
            "\n";
  }
  write_file_atomically(file, text);
}

}  // namespace cria
