// What goes over a connection: a request and the answer to it (RFC 9110).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cria::http {

struct Request {
  std::string method, path, query;  // of "/v1/models?x=1" the path is /v1/models and the query x=1, as they were sent
  bool version_1_0 = false;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;
  bool whole = true;  // or its body was not read, as nobody wants it

  /// The value of the first header of that name, which is in lower case; null where there is none.
  const std::string* header(std::string_view name) const;
  /// Whether another request may follow on the same connection.
  bool keeps_connection() const;
};

struct Response {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers = {};
};

/// "Not Found" for 404.
std::string_view reason_phrase(int status);

/// Everything before the body. `framing` is the header that says how long that is, empty where its end is that of the
/// connection. Line breaks in a header's value become blanks.
std::string response_head(const Response& response, std::string_view framing, bool keeps_connection);

bool equal_ignoring_case(std::string_view one, std::string_view other);

}  // namespace cria::http
