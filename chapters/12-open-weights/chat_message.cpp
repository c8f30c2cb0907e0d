#include "chapters/12-open-weights/chat_message.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "lib/base/check.hpp"
#include "lib/base/file.hpp"
#include "lib/formats/json.hpp"

namespace cria {

std::vector<Message> read_messages(const std::filesystem::path& file) {
  return messages_from_json(read_json(file), file.string());
}

std::vector<Message> messages_from_json(const nlohmann::json& list, const std::string& what) {
  const auto fail = [&](const std::string& wrong) {
    throw UserError(fmt::format("{}: {}, expected a list of messages like {{\"role\": \"user\", \"content\": \"…\"}}",
                                what, wrong));
  };
  if (!list.is_array()) fail("is " + shown_json(list));
  std::vector<Message> messages;
  for (const nlohmann::json& item : list) {
    const std::string number = fmt::format("message {}", messages.size() + 1);
    if (!item.is_object()) fail(fmt::format("{} is {}", number, shown_json(item)));
    for (const auto& [key, value] : item.items()) {
      if (key != "role" && key != "content")
        fail(fmt::format("{} has {}, which is not supported", number, in_quotes(key)));
      if (!value.is_string()) fail(fmt::format("{}: \"{}\" is {}", number, key, shown_json(value)));
    }
    if (item.size() != 2) fail(number + " lacks its role or content");
    const Message message{item["role"], item["content"]};
    if (message.role != "user" && message.role != "assistant" && message.role != "system")
      fail(fmt::format("{} is of the role {}", number, in_quotes(message.role)));
    messages.push_back(message);
  }
  return messages;
}

void write_messages(const std::filesystem::path& file, const std::vector<Message>& messages) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Message& message : messages) list.push_back({{"role", message.role}, {"content", message.content}});
  write_file_atomically(file, list.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

}  // namespace cria
