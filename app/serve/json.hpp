// JSON as it goes over the wire.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace cria::serve {

using Json = nlohmann::ordered_json;  // what is sent: keys in the order in which they are documented

/// On one line; bytes that are not UTF-8 become U+FFFD.
inline std::string dumped(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace cria::serve
