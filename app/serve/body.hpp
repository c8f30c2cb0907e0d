// The body of a request, which is JSON everywhere.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "app/serve/turns.hpp"
#include "lib/http/server.hpp"

namespace cria::serve {

/// May take a hundred times the memory of what is wanted: for no longer than it is read.
struct Body {
  std::string text;
  nlohmann::json value;
};

/// Of a request, which is without it from then on, whatever comes of it. Throws ApiError for other types, and for what
/// is no JSON.
Body take_body(http::Request& request);

/// What `read` makes of the body when it is the request's turn. The body is gone and the turn is over then, as the
/// answer may take minutes. Throws ApiError, and http::ClientLeft.
template <class Read>
auto read_body(http::Request& request, http::Exchange& exchange, Turns& turns, const Read& read) {
  const Turn turn(turns, exchange);
  return read(take_body(request));
}

}  // namespace cria::serve
