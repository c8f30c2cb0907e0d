#include "app/serve/body.hpp"

#include <utility>

#include "app/serve/api_error.hpp"
#include "lib/base/check.hpp"
#include "lib/formats/json.hpp"

namespace cria::serve {

/// Asking for JSON keeps out web pages of strangers: without their origin's leave they can only send forms and text.
Body take_body(http::Request& request) {
  std::string text = std::exchange(request.body, {});
  const std::string* type = request.header("content-type");
  const std::string_view name = type ? std::string_view(*type).substr(0, type->find(';')) : std::string_view();
  if (!http::equal_ignoring_case(name, "application/json"))
    throw ApiError(415, "the Content-Type has to be application/json");
  try {
    nlohmann::json value = parse_json(text, "the body");
    return {std::move(text), std::move(value)};
  } catch (const UserError& error) {
    throw ApiError(400, error.what());
  }
}

}  // namespace cria::serve
