// Files of examples: a JSON list of objects, or an object on each line (JSONL).
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "chapters/11-pretraining/data.hpp"

namespace cria {

/// Calls visit(object, place) for each example of all files; `place`, "file, example 3", begins what is said of it.
/// Throws UserError for what is no JSON, for a file without examples, and for an example that is no object.
void for_each_example(const Data& data,
                      const std::function<void(const nlohmann::json& example, const std::string& place)>& visit);

/// The text under a key of an example. Throws UserError where it is missing, or no text.
std::string example_text(const nlohmann::json& example, const char* key, const std::string& place);

/// Whether there is more in it than white space.
bool has_text(const std::string& text);

}  // namespace cria
