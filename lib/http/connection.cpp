#include "lib/http/connection.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace cria::http {
namespace {

using Clock = std::chrono::steady_clock;

#ifdef MSG_NOSIGNAL
constexpr int quietly = MSG_NOSIGNAL;  // no SIGPIPE where the client has left
#else
constexpr int quietly = 0;
#endif

enum class Ready { yes, no, woken };

/// Waits until the socket can be read or written, or `wake` (-1: none) can be read.
Ready wait_for(int socket, short events, int wake, Clock::time_point deadline) {
  for (;;) {
    pollfd waits[2] = {{socket, events, 0}, {wake, POLLIN, 0}};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    const int count = ::poll(waits, 2, static_cast<int>(std::clamp<long long>(left, 0, 1 << 30)));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return Ready::no;
    if (waits[1].revents != 0) return Ready::woken;
    return Ready::yes;
  }
}

}  // namespace

Connection::~Connection() { ::close(socket_); }

std::optional<Request> Connection::read_request(const Limits& limits, const Times& times,
                                                const BodyFilter& wants_body) {
  RequestParser parser(limits);
  bool continued = false, asked = false;
  Clock::time_point deadline = Clock::now() + times.idle;
  for (;;) {
    if (!ahead_.empty()) {
      if (!parser.begun()) deadline = Clock::now() + times.request;
      ahead_.erase(0, parser.take(ahead_));
      if (parser.complete()) return std::move(parser.request());
    }
    if (parser.awaits_body() && wants_body && !std::exchange(asked, true) && !wants_body(parser.request())) {
      parser.request().whole = false;
      return std::move(parser.request());
    }
    if (parser.expects_continue() && !continued) {
      continued = true;
      if (!write("HTTP/1.1 100 Continue\r\n\r\n", times.write)) return std::nullopt;
    }
    switch (wait_for(socket_, POLLIN, wake_, deadline)) {
      case Ready::woken:
        return std::nullopt;
      case Ready::no:
        if (parser.begun()) throw Refusal(408, "the request took too long to come");
        return std::nullopt;
      case Ready::yes:
        break;
    }
    char bytes[16 << 10];
    const ssize_t count = ::recv(socket_, bytes, sizeof bytes, MSG_DONTWAIT);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count <= 0) return std::nullopt;
    ahead_.append(bytes, static_cast<size_t>(count));
  }
}

bool Connection::write(std::string_view bytes, std::chrono::milliseconds time) {
  const Clock::time_point deadline = Clock::now() + time;
  while (!bytes.empty()) {
    const ssize_t count = ::send(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT | quietly);
    if (count >= 0) {
      bytes.remove_prefix(static_cast<size_t>(count));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      if (wait_for(socket_, POLLOUT, -1, deadline) == Ready::no) return false;
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

bool Connection::client_left() {
#ifdef POLLRDHUP  // says it also where bytes lie unread in front of the end
  pollfd ends{socket_, POLLRDHUP, 0};
  if (::poll(&ends, 1, 0) > 0) return true;
#endif
  char byte;
  const ssize_t count = ::recv(socket_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return count == 0 || (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

void Connection::close_gently() {
  ::shutdown(socket_, SHUT_WR);
  const Clock::time_point deadline = Clock::now() + std::chrono::seconds(1);
  char bytes[16 << 10];
  for (size_t taken = 0; taken < (16 << 20);) {
    if (wait_for(socket_, POLLIN, wake_, deadline) != Ready::yes) return;
    const ssize_t count = ::recv(socket_, bytes, sizeof bytes, MSG_DONTWAIT);
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) return;
    taken += static_cast<size_t>(std::max<ssize_t>(count, 0));
  }
}

}  // namespace cria::http
