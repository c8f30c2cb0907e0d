// Reading JSON that somebody else has written, with bounds on everything: the one door for every JSON file that cria
// reads. Numbers keep their type; what the values mean is for the caller to check.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace cria {

/// The value that the text holds; `what` is what messages begin with: a file, or a part of one. Throws UserError, one
/// line, for text that is no JSON or of more than 32 MiB, a key twice in an object, nesting beyond 64, or too many
/// values.
nlohmann::json parse_json(std::string_view text, const std::string& what);

/// The same with the members of objects in the order of the text. Takes time that grows as the square of an object's
/// size: for texts of some 100 KB.
nlohmann::ordered_json parse_ordered_json(std::string_view text, const std::string& what);

/// The same for a file.
nlohmann::json read_json(const std::filesystem::path& file);

/// A value as a message shows it: short, and never more than one level deep.
std::string shown_json(const nlohmann::json& value);

}  // namespace cria
