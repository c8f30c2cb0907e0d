// The body of a request, which is JSON everywhere.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "lib/http/message.hpp"

namespace cria::serve {

/// Throws ApiError for other types, and for what is no JSON.
nlohmann::json read_body(const http::Request& request);

}  // namespace cria::serve
