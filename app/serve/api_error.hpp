// ApiError: what a client gets instead of an answer, in the form of OpenAI's API: {"error": {"message", "type",
// "param", "code"}}. Its clients try again after 408, 409, 429 and 5xx, so what will never work is a 400.
#pragma once

#include <stdexcept>
#include <string>

#include "app/serve/json.hpp"
#include "lib/http/message.hpp"

namespace cria::serve {

struct ApiError : std::runtime_error {
  explicit ApiError(int http_status, const std::string& message, std::string parameter = "",
                    std::string machine_code = "")
      : std::runtime_error(message), status(http_status), param(std::move(parameter)), code(std::move(machine_code)) {}

  int status;
  std::string param;    // the part of the request that is wrong; empty: none
  std::string code;     // for programs; empty: none
  int retry_after = 0;  // seconds; 0: does not say
};

/// The value, as it also stands in the middle of a stream.
Json error_form(const ApiError& error);

http::Response error_response(const ApiError& error);

}  // namespace cria::serve
