#include "lib/http/server.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

#include "lib/base/check.hpp"

namespace cria::http {
namespace {

/// Programs that this one starts are not to have it.
int kept_to_itself(int descriptor) {
  if (descriptor >= 0) ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  return descriptor;
}

/// A socket that listens, and the port that it has. Throws UserError.
std::pair<int, std::uint16_t> listen_on(const std::string& host, std::uint16_t port) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  if (const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found))
    throw UserError(fmt::format("--host is {}: {}", in_quotes(host), ::gai_strerror(error)));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, &::freeaddrinfo);
  const int socket = kept_to_itself(::socket(found->ai_family, found->ai_socktype, found->ai_protocol));
  const int yes = 1;
  if (socket >= 0) ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (socket < 0 || ::bind(socket, found->ai_addr, found->ai_addrlen) != 0 || ::listen(socket, 128) != 0) {
    const int error = errno;
    if (socket >= 0) ::close(socket);
    throw UserError(fmt::format("cannot listen on {} port {}: {}", host, port, std::strerror(error)));
  }
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&bound), &size);
  const bool version_6 = bound.ss_family == AF_INET6;
  return {socket, ntohs(version_6 ? reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port
                                  : reinterpret_cast<sockaddr_in*>(&bound)->sin_port)};
}

}  // namespace

// ── Exchange ────────────────────────────────────────────────────────────────────────────────────────────────────────

bool Exchange::write(std::string_view bytes) {
  lost_ = lost_ || !connection_.write(bytes, time_);
  return !lost_;
}

std::string Exchange::head(Response response, std::string_view framing) const {
  response.headers.insert(response.headers.end(), headers_.begin(), headers_.end());
  return response_head(response, framing, keeps_);
}

void Exchange::respond(Response response) {
  const std::string length = response.status == 204 ? "" : fmt::format("Content-Length: {}", response.body.size());
  std::string all = std::exchange(response.body, {});  // once: a client may be slow to take it
  if (request_.method == "HEAD") all.clear();
  all.insert(0, head(std::move(response), length));
  answered_ = true;  // from here on, memory cannot be missing
  write(all);
}

void Exchange::begin(const Response& response) {
  keeps_ = keeps_ && !request_.version_1_0;  // HTTP/1.0 knows no chunks: the body ends with the connection
  const std::string begun = head(response, request_.version_1_0 ? "" : "Transfer-Encoding: chunked");
  answered_ = open_ = true;
  write(begun);
}

bool Exchange::send(std::string_view part) {
  if (part.empty()) return !lost_;  // an empty chunk would be the last
  if (request_.version_1_0) return write(part);
  return write(fmt::format("{:x}\r\n{}\r\n", part.size(), part));
}

void Exchange::end() {
  if (!request_.version_1_0) write("0\r\n\r\n");
  open_ = false;
}

// ── Server ──────────────────────────────────────────────────────────────────────────────────────────────────────────

Server::Server(ServerOptions options, Handler handler, Refuser refuser)
    : options_(std::move(options)), handler_(std::move(handler)), refuser_(std::move(refuser)) {
  if (::pipe(wake_) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  for (const int end : wake_) kept_to_itself(end);
  try {
    std::tie(listener_, port_) = listen_on(options_.host, options_.port);
    accepting_ = std::thread([this] { accept_all(); });
  } catch (...) {
    for (const int end : {wake_[0], wake_[1], listener_})
      if (end >= 0) ::close(end);
    throw;
  }
}

Server::~Server() {
  stop();
  join();
  ::close(wake_[0]);
}

void Server::stop() {
  if (!stopping_.exchange(true)) ::close(wake_[1]);
}

void Server::join() {
  if (accepting_.joinable()) accepting_.join();
}

void Server::clear_done() {
  workers_.remove_if([](Worker& worker) {
    if (worker.done) worker.thread.join();
    return worker.done.load();
  });
}

void Server::accept_all() {
  while (!stopping_) {
    pollfd waits[2] = {{listener_, POLLIN, 0}, {wake_[0], POLLIN, 0}};
    if (::poll(waits, 2, -1) < 0 || waits[1].revents != 0) continue;
    const int socket = kept_to_itself(::accept(listener_, nullptr, nullptr));
    if (socket < 0) {  // the client has left again, or no more files can be open: those that are will be closed
      if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      continue;
    }
    accept(socket);
  }
  ::close(listener_);
  for (Worker& worker : workers_) worker.thread.join();
  workers_.clear();
}

void Server::accept(int socket) {
  const int yes = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);  // a token is to be seen when it is there
  clear_done();
  if (workers_.size() >= options_.connections) {
    Connection connection(socket, wake_[0]);
    try {
      Response busy = refuser_(503, "too many connections");
      busy.headers.emplace_back("Retry-After", "1");
      const std::string length = fmt::format("Content-Length: {}", busy.body.size());
      connection.write(response_head(busy, length, false) + busy.body, std::chrono::milliseconds(0));
    } catch (const std::exception&) {  // not even memory for that
    }
    return;
  }
  try {
    Worker& worker = workers_.emplace_back();
    worker.thread = std::thread([this, socket, &worker] {
      serve(socket);
      worker.done = true;
    });
  } catch (const std::exception&) {  // no more threads, or no memory
    if (!workers_.empty() && !workers_.back().thread.joinable()) workers_.pop_back();
    ::close(socket);
  }
}

void Server::serve(int socket) {
  Connection connection(socket, wake_[0]);
  try {
    try {
      while (!stopping_) {
        std::optional<Request> request = connection.read_request(options_.limits, options_.times, options_.wants_body);
        if (!request) return;
        const bool keeps = request->whole && request->keeps_connection() && !stopping_;
        Exchange exchange(connection, *request, options_.times.write, keeps);
        try {
          handler_(*request, exchange);
        } catch (const ClientLeft&) {
          return;
        } catch (const std::exception& error) {
          if (exchange.answered()) return;  // in the middle of it: all that is left is to end
          exchange.respond(refuser_(500, error.what()));
        }
        if (!exchange.keeps()) return connection.close_gently();
      }
    } catch (const Refusal& refusal) {
      const Response response = refuser_(refusal.status, refusal.what());
      const std::string length = fmt::format("Content-Length: {}", response.body.size());
      if (connection.write(response_head(response, length, false) + response.body, options_.times.write))
        connection.close_gently();
    }
  } catch (const std::exception&) {  // no memory for a request or its refusal: this connection ends, and no other
  }
}

}  // namespace cria::http
