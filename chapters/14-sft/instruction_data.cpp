// Chapter 14, reading conversations.
#include "chapters/14-sft/instruction_data.hpp"

#include <fmt/format.h>

#include "chapters/14-sft/example_file.hpp"
#include "lib/base/check.hpp"

namespace cria {
namespace {

/// One instruction for each answer of a conversation, with all that stands before it.
void add_answers(const std::vector<Message>& messages, const std::string& place, std::vector<Instruction>& to) {
  const auto fail = [&](const char* message) { throw UserError(fmt::format("{}: {}", place, message)); };
  const size_t before = to.size();
  for (size_t i = 0; i < messages.size(); ++i) {
    if (messages[i].role != "assistant") continue;
    if (i == 0 || messages[i - 1].role != "user") fail("has an answer that follows no question");
    if (!has_text(messages[i].content)) fail("has an empty answer");
    to.push_back({{messages.begin(), messages.begin() + std::ptrdiff_t(i + 1)}, place});
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
    std::vector<Message> messages;
    if (example.contains("messages")) {
      messages = messages_from_json(example["messages"], place);
    } else if (example.contains("instruction")) {
      messages = alpaca_prompt(example, place);
      messages.push_back({"assistant", example_text(example, "output", place)});
    } else {
      throw UserError(place + ": has neither \"messages\" nor \"instruction\" and \"output\"");
    }
    add_answers(messages, place, all);
  });
  return all;
}

}  // namespace cria
