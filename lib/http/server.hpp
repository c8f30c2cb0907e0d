// Server: listens, and answers each connection in a thread of its own (HTTP/1.1, RFC 9112). For tens of clients, each
// of which waits for a model, that is the simplest thing that works. Left out: TLS and HTTP/2, which a proxy in front
// adds.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "lib/http/connection.hpp"
#include "lib/http/message.hpp"

namespace cria::http {

struct ServerOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;         // 0: one that is free
  std::size_t connections = 256;  // at the same time; more are told to come later
  Limits limits = {};
  Times times = {};
  BodyFilter wants_body = {};  // where it does not, the handler gets a request that is not whole; none: all are read
};

/// Thrown where work for a client is not wanted any more.
struct ClientLeft : std::runtime_error {
  ClientLeft() : std::runtime_error("the client has left") {}
};

/// One request being answered: with respond, or with begin, send … and end.
class Exchange {
 public:
  Exchange(Connection& connection, const Request& request, std::chrono::milliseconds time, bool keeps)
      : connection_(connection), request_(request), time_(time), keeps_(keeps) {}

  /// A header of whatever is answered.
  void add_header(const std::string& name, const std::string& value) { headers_.emplace_back(name, value); }
  void respond(Response response);

  /// The head of an answer whose body comes in parts.
  void begin(const Response& response);
  /// A part, at once. False where the client has left; nothing is sent from then on.
  bool send(std::string_view part);
  void end();

  /// From then on nothing is sent, and what it sent beside is not answered.
  bool client_left() {
    lost_ = lost_ || connection_.client_left();
    return lost_;
  }
  /// Throws ClientLeft.
  void require_client() {
    if (client_left()) throw ClientLeft();
  }
  bool answered() const { return answered_; }
  /// Whether the connection can take another request.
  bool keeps() const { return keeps_ && !lost_ && !open_; }

 private:
  bool write(std::string_view bytes);
  std::string head(Response response, std::string_view framing) const;

  Connection& connection_;
  const Request& request_;
  std::chrono::milliseconds time_;
  std::vector<std::pair<std::string, std::string>> headers_;
  bool keeps_, lost_ = false, open_ = false, answered_ = false;
};

class Server {
 public:
  /// It may take the body, so that nothing of it is left while the answer is written.
  using Handler = std::function<void(Request&, Exchange&)>;
  /// What is answered to what is no proper request: of the status, with the reason.
  using Refuser = std::function<Response(int status, const std::string& reason)>;

  /// Listens from now on. The handler is called by several threads at once. Throws UserError where the address cannot
  /// be used.
  Server(ServerOptions options, Handler handler, Refuser refuser);
  ~Server();

  std::uint16_t port() const { return port_; }

  /// Takes no new connections or requests; those that are being answered go on.
  void stop();
  /// Waits for the last answer; after stop.
  void join();

 private:
  struct Worker {
    std::thread thread;
    std::atomic<bool> done = false;
  };
  void accept_all();
  void accept(int socket);
  void serve(int socket);
  void clear_done();

  ServerOptions options_;
  Handler handler_;
  Refuser refuser_;
  int listener_ = -1, wake_[2] = {-1, -1};  // a pipe: what waits for a request ends when its other end is closed
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::list<Worker> workers_;  // the accepting thread's
  std::thread accepting_;
};

}  // namespace cria::http
