// Connection: the bytes to and from one client, with a time limit on everything. A client may be as slow as it likes to
// think between two requests, but not within one.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "lib/http/message.hpp"
#include "lib/http/request_parser.hpp"

namespace cria::http {

struct Times {
  std::chrono::milliseconds idle{60'000};     // until the first byte of a request
  std::chrono::milliseconds request{30'000};  // from there to its last
  std::chrono::milliseconds write{30'000};    // until the client has taken what is sent at a time
};

/// Whether the body of a request is worth its memory.
using BodyFilter = std::function<bool(const Request&)>;

class Connection {
 public:
  /// Owns the socket. What waits for a request ends as soon as `wake` can be read.
  Connection(int socket, int wake) : socket_(socket), wake_(wake) {}
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Nothing where none comes: the client has left, is idle for too long, or the server ends. Throws Refusal for one
  /// that is not as it should be, or too slow. A body that is not wanted, after a look at the headers, is left unread.
  std::optional<Request> read_request(const Limits& limits, const Times& times, const BodyFilter& wants_body = {});

  /// False where the client has left, or takes too long.
  bool write(std::string_view bytes, std::chrono::milliseconds time);

  /// Whether nobody waits for an answer any more. A client that has closed its own half counts as gone.
  bool client_left();

  /// Says that nothing more comes, and takes what the client still sends, for a moment: a socket that is closed with
  /// unread bytes in it may take the answer away from the client.
  void close_gently();

 private:
  int socket_, wake_;
  std::string ahead_;  // bytes of the next request
};

}  // namespace cria::http
