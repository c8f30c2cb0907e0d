// Tokenization: what /tokenize and /detokenize answer.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "app/serve/served_model.hpp"

namespace cria::serve {

/// The ids of a text or of a conversation, as the text of a JSON object. `bytes` are those of the body as it came.
/// Throws ApiError.
std::string tokenized(const nlohmann::json& body, size_t bytes, const ServedModel& model);

/// The text of ids, likewise.
std::string detokenized(const nlohmann::json& body, const ServedModel& model);

}  // namespace cria::serve
