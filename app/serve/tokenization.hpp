// Tokenization: what /tokenize and /detokenize answer.
#pragma once

#include <string>

#include "app/serve/body.hpp"
#include "app/serve/served_model.hpp"

namespace cria::serve {

/// The ids of a text or of a conversation, as the text of a JSON object. Throws ApiError.
std::string tokenized(const Body& body, const ServedModel& model);

/// The text of ids, likewise.
std::string detokenized(const Body& body, const ServedModel& model);

}  // namespace cria::serve
