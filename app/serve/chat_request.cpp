#include "app/serve/chat_request.hpp"

#include <fmt/format.h>

#include "app/serve/api_error.hpp"

namespace cria::serve {
namespace {

std::string read_content(Fields& message, const std::string& where) {
  const nlohmann::json& content = message.require("content", "a text or a list of parts");
  if (content.is_string()) return content;
  if (!content.is_array()) message.fail("content", content, "a text or a list of parts");
  std::string text;
  for (size_t i = 0; i < content.size(); ++i) {
    Fields part(content[i], fmt::format("{}content[{}].", where, i));
    const nlohmann::json& type = part.require("type", "\"text\"");
    if (type != "text") part.fail("type", type, "\"text\": only texts are read here");
    const nlohmann::json& value = part.require("text", "a text");
    if (!value.is_string()) part.fail("text", value, "a text");
    text += value.get_ref<const std::string&>();
    part.refuse_others();
  }
  return text;
}

Message read_message(const nlohmann::json& value, const std::string& where) {
  Fields fields(value, where);
  const nlohmann::json& role = fields.require("role", "\"system\", \"user\" or \"assistant\"");
  Message message;
  if (role == "developer")
    message.role = "system";
  else if (role == "system" || role == "user" || role == "assistant")
    message.role = role;
  else
    fields.fail("role", role, "\"system\", \"developer\", \"user\" or \"assistant\"");
  message.content = read_content(fields, where);
  fields.accept_only("annotations", nlohmann::json::array());  // as they stand in an answer that is sent back
  fields.accept_only("tool_calls", nlohmann::json::array());
  fields.refuse_others();
  return message;
}

}  // namespace

std::vector<Message> read_messages(const nlohmann::json& list) {
  if (!list.is_array() || list.empty())
    throw ApiError(400, "messages is empty or no list, expected at least one message", "messages");
  std::vector<Message> messages;
  for (size_t i = 0; i < list.size(); ++i) messages.push_back(read_message(list[i], fmt::format("messages[{}].", i)));
  return messages;
}

ChatRequest read_chat_request(const nlohmann::json& body, const SamplingOptions& defaults, std::string_view text) {
  Fields fields(body);
  ChatRequest request;
  request.messages = read_messages(fields.require("messages", "a list of messages"));
  request.settings = read_text_settings(fields, defaults, text);
  const std::optional<std::int64_t> old_name = fields.integer("max_tokens", 1, INT32_MAX);
  const std::optional<std::int64_t> tokens = fields.integer("max_completion_tokens", 1, INT32_MAX);
  if (tokens || old_name) request.settings.tokens = static_cast<size_t>(tokens ? *tokens : *old_name);
  const std::optional<std::int64_t> others = fields.integer("top_logprobs", 0, most_logprobs);
  if (fields.boolean("logprobs").value_or(false))
    request.settings.logprobs = static_cast<size_t>(others.value_or(0));
  else if (others)
    throw ApiError(400, "top_logprobs only goes with logprobs: true", "top_logprobs");
  fields.ignore({"parallel_tool_calls"});  // there are no tools
  fields.accept_only("tools", nlohmann::json::array());
  const nlohmann::json* choice = fields.find("tool_choice");
  if (choice && *choice != "none" && *choice != "auto")
    fields.fail("tool_choice", *choice, "\"none\": there are no tools");
  fields.accept_only("modalities", nlohmann::json::array({"text"}));
  fields.refuse_others();
  return request;
}

}  // namespace cria::serve
