#include "app/bench/load_client.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>

#include "lib/base/check.hpp"

namespace cria::bench {
namespace {

#ifdef MSG_NOSIGNAL
constexpr int quietly = MSG_NOSIGNAL;  // no SIGPIPE where the server is gone
#else
constexpr int quietly = 0;
#endif

class Socket {
 public:
  explicit Socket(const ServerAddress& server) {
    addrinfo hints{}, *found = nullptr;
    hints.ai_socktype = SOCK_STREAM;
    if (::getaddrinfo(server.host.c_str(), server.port.c_str(), &hints, &found) != 0) return;
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, &::freeaddrinfo);
    socket_ = ::socket(found->ai_family, found->ai_socktype, found->ai_protocol);
    if (socket_ < 0 || ::connect(socket_, found->ai_addr, found->ai_addrlen) != 0) return;
    const int yes = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    connected_ = true;
  }
  ~Socket() {
    if (socket_ >= 0) ::close(socket_);
  }
  Socket(const Socket&) = delete;

  bool send(std::string_view bytes) const {
    while (connected_ && !bytes.empty()) {
      const ssize_t count = ::send(socket_, bytes.data(), bytes.size(), quietly);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(count));
    }
    return connected_;
  }
  /// Appends what comes; false at the end.
  bool receive(std::string& all) const {
    char bytes[16 << 10];
    const ssize_t count = ::recv(socket_, bytes, sizeof bytes, 0);
    if (count > 0) all.append(bytes, static_cast<size_t>(count));
    return count > 0;
  }

 private:
  int socket_ = -1;
  bool connected_ = false;
};

/// The number behind a key, in text that need not be parsed for it.
size_t number_after(std::string_view text, std::string_view key) {
  const size_t at = text.rfind(key);
  return at == text.npos ? 0 : std::strtoull(text.data() + at + key.size(), nullptr, 10);
}

}  // namespace

ServerAddress server_address(const std::string& url) {
  const std::string scheme = "http://";
  const size_t slash = url.find('/', scheme.size());
  const std::string place = url.substr(std::min(scheme.size(), url.size()), slash - scheme.size());
  const size_t colon = place.rfind(':');
  if (!url.starts_with(scheme) || colon == place.npos || colon == 0)
    throw UserError(fmt::format("--url is {}, expected one like http://127.0.0.1:8080/v1", in_quotes(url)));
  return {place.substr(0, colon), slash == url.npos ? "" : url.substr(slash), place.substr(colon + 1)};
}

Answered ask_for_text(const ServerAddress& server, const std::string& body) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  const auto since = [&] { return std::chrono::duration<double>(Clock::now() - begin).count(); };
  Answered answer;
  const Socket socket(server);
  if (!socket.send(fmt::format("POST {}/completions HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n"
                               "Connection: close\r\nContent-Length: {}\r\n\r\n{}",
                               server.path, server.host, body.size(), body)))
    return answer;
  std::string all;
  size_t seen = 0;
  constexpr std::string_view event = "data: {", text = "\"text\":\"";
  while (socket.receive(all)) {
    for (size_t at; (at = all.find(event, seen)) != all.npos; seen = at + event.size()) {
      const size_t end = all.find("\n\n", at);
      if (end == all.npos) break;  // the rest of it is still to come
      const size_t shown = std::min(all.find(text, at), end);
      if (shown == end || all[shown + text.size()] == '"') continue;
      answer.last_token = since();
      if (answer.first_token == 0) answer.first_token = answer.last_token;
    }
  }
  if (all.starts_with("HTTP/1.1 ")) answer.status = std::atoi(all.c_str() + 9);
  answer.tokens = number_after(all, "\"completion_tokens\":");
  return answer;
}

}  // namespace cria::bench
