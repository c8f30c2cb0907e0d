// RequestParser: from the bytes of a connection, in whatever pieces they come, to one request (RFC 9112).
//
// Strict, as what is read in two ways by two programs is how requests are smuggled: no folded headers, no line that
// ends with less than CR LF, one length. Everything has a limit that is checked before memory is taken. Left out: other
// codings than chunked, and what chunks say beside their length.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

#include "lib/http/message.hpp"

namespace cria::http {

struct Limits {
  std::size_t target = 8 << 10;  // bytes of what is asked for
  std::size_t head = 32 << 10;   // bytes of the first line and all headers
  std::size_t headers = 100;
  std::size_t body = 8 << 20;
};

/// Why a request is not answered as it wished. The connection is closed then, as nobody knows where the next one
/// begins.
struct Refusal : std::runtime_error {
  Refusal(int code, const std::string& why) : std::runtime_error(why), status(code) {}
  int status;
};

class RequestParser {
 public:
  explicit RequestParser(Limits limits = {}) : limits_(limits) {}

  /// Takes the next bytes, and returns how many of them were this request's: fewer only when it is complete. Throws
  /// Refusal.
  std::size_t take(std::string_view bytes);

  bool begun() const { return begun_; }
  bool complete() const { return state_ == State::complete; }
  /// Whether the client waits for "100 Continue" before it sends the body.
  bool expects_continue() const { return expects_continue_ && awaits_body(); }
  /// Whether all headers are known, and some of the body is not.
  bool awaits_body() const { return state_ > State::headers && !complete(); }
  Request& request() { return request_; }

 private:
  enum class State { first_line, headers, body, chunk_size, chunk, chunk_end, trailers, complete };

  void take_line();
  void take_first_line();
  void take_header();
  void take_chunk_size();
  void end_headers();

  Limits limits_;
  State state_ = State::first_line;
  bool begun_ = false, expects_continue_ = false;
  std::string line_;
  std::size_t head_ = 0;  // bytes so far
  std::size_t left_ = 0;  // bytes of the body or the chunk
  Request request_;
};

}  // namespace cria::http
