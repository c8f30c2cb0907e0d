// The messages of a conversation, and files of them: a JSON list of objects with "role" and "content", as OpenAI's API
// and Hugging Face's templates take it.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace cria {

struct Message {
  std::string role;  ///< "system" (what the model is told first), "user" or "assistant"
  std::string content;
  bool operator==(const Message&) const = default;
};

/// Throws UserError naming the file for what is no such list, and for other roles and contents: tools and pictures are
/// not supported.
std::vector<Message> read_messages(const std::filesystem::path& file);
/// The same from a value; messages begin with `what`.
std::vector<Message> messages_from_json(const nlohmann::json& list, const std::string& what);
/// Bytes that are not UTF-8 are written as U+FFFD.
void write_messages(const std::filesystem::path& file, const std::vector<Message>& messages);

}  // namespace cria
