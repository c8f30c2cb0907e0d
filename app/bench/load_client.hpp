// A client that asks a server for one text over OpenAI's API, and notes when its tokens come.
#pragma once

#include <cstdint>
#include <string>

namespace cria::bench {

struct ServerAddress {
  std::string host, path;  // of "http://HOST:PORT/v1" the path is /v1
  std::string port;
};

/// Throws UserError for what is no http://HOST:PORT/PATH.
ServerAddress server_address(const std::string& url);

struct Answered {
  int status = 0;          // 0: no answer came
  double first_token = 0;  // seconds from the request
  double last_token = 0;
  std::size_t tokens = 0;  // as the server counted them
};

/// Sends the JSON body of a streamed completion (with stream_options.include_usage) and reads the answer to its end.
Answered ask_for_text(const ServerAddress& server, const std::string& body);

}  // namespace cria::bench
