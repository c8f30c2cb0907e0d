// ChatRequest: the body of POST /v1/chat/completions.
#pragma once

#include <vector>

#include "app/serve/text_settings.hpp"
#include "chapters/12-open-weights/chat_message.hpp"

namespace cria::serve {

struct ChatRequest {
  TextSettings settings;
  std::vector<Message> messages;
};

/// `text` is the body's (read_text_settings). Throws ApiError naming what is wrong, and what cannot be done here:
/// tools, pictures and sound.
ChatRequest read_chat_request(const nlohmann::json& body, const SamplingOptions& defaults, std::string_view text = "");

/// The messages alone. A developer's are the system's; contents in parts are put together.
std::vector<Message> read_messages(const nlohmann::json& list);

}  // namespace cria::serve
