#include "app/serve/body.hpp"

#include <nlohmann/json.hpp>

#include "app/serve/api_error.hpp"
#include "lib/base/check.hpp"
#include "lib/formats/json.hpp"

namespace cria::serve {

/// Asking for JSON keeps out web pages of strangers: without their origin's leave they can only send forms and text.
nlohmann::json read_body(const http::Request& request) {
  const std::string* type = request.header("content-type");
  const std::string_view name = type ? std::string_view(*type).substr(0, type->find(';')) : std::string_view();
  if (!http::equal_ignoring_case(name, "application/json"))
    throw ApiError(415, "the Content-Type has to be application/json");
  try {
    return parse_json(request.body, "the body");
  } catch (const UserError& error) {
    throw ApiError(400, error.what());
  }
}

}  // namespace cria::serve
