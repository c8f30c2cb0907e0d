// Chapter 14, reading prompts.
#include "chapters/14-sft/prompt_data.hpp"

#include "chapters/14-sft/example_file.hpp"
#include "chapters/14-sft/instruction_data.hpp"
#include "lib/base/check.hpp"

namespace cria {
namespace {

/// Those of a conversation, without the answer at its end.
std::vector<Message> conversation_prompt(nlohmann::json list, const std::string& place) {
  const auto is_answer = [](const nlohmann::json& message) {
    return message.is_object() && message.contains("role") && message["role"] == "assistant";
  };
  if (list.is_array() && !list.empty() && is_answer(list.back())) list.erase(list.size() - 1);
  for (nlohmann::json& message : list)
    if (is_answer(message)) message.erase("weight");  // which is only read here
  return messages_from_json(list, place);
}

}  // namespace

std::vector<Message> example_prompt(const nlohmann::json& example, const std::string& place) {
  if (example.contains("prompt") && example["prompt"].is_string()) return {{"user", example["prompt"]}};
  if (example.contains("prompt")) return messages_from_json(example["prompt"], place);
  if (example.contains("instruction")) return alpaca_prompt(example, place);
  return {};
}

std::vector<Prompt> read_prompts(const Data& data) {
  if (data.files.empty()) throw UserError(data.name + " have no prompts, expected files");
  std::vector<Prompt> all;
  for_each_example(data, [&](const nlohmann::json& example, const std::string& place) {
    std::vector<Message> prompt =
        example.contains("messages") ? conversation_prompt(example["messages"], place) : example_prompt(example, place);
    if (prompt.empty())
      throw UserError(place + ": has no prompt, expected \"prompt\", \"instruction\" or \"messages\"");
    if (prompt.back().role != "user" || !has_text(prompt.back().content))
      throw UserError(place + ": its prompt does not end with a question of the user's");
    all.push_back({std::move(prompt), place});
  });
  return all;
}

}  // namespace cria
