// HTTP as bytes: requests in pieces, what is refused, and the heads of answers. And a server with a socket.
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "lib/http/request_parser.hpp"
#include "lib/http/server.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::http;
using namespace cria::testing;

namespace {

constexpr const char* post =
    "POST /v1/x?a=1 HTTP/1.1\r\nHost: here\r\nContent-Type:  application/json \r\nContent-Length: 4\r\n\r\nbody";

Request parsed(const std::string& bytes, size_t piece = 1 << 20) {
  RequestParser parser;
  for (size_t at = 0; at < bytes.size(); at += piece) {
    const std::string part = bytes.substr(at, piece);
    REQUIRE(parser.take(part) == part.size());
  }
  REQUIRE(parser.complete());
  return parser.request();
}

int refused(const std::string& bytes, Limits limits = {}) {
  RequestParser parser(limits);
  try {
    parser.take(bytes);
  } catch (const Refusal& refusal) {
    return refusal.status;
  }
  return parser.complete() ? 200 : 0;
}

std::string with_header(const std::string& lines) { return "GET / HTTP/1.1\r\nHost: x\r\n" + lines + "\r\n"; }

}  // namespace

TEST_CASE("a request is the same in whatever pieces its bytes come") {
  for (const size_t piece : {size_t{1}, size_t{2}, size_t{7}, size_t{1000}}) {
    const Request request = parsed(post, piece);
    CHECK(request.method == "POST");
    CHECK(request.path == "/v1/x");
    CHECK(request.query == "a=1");
    CHECK(*request.header("content-type") == "application/json");
    CHECK(request.header("accept") == nullptr);
    CHECK(request.body == "body");
  }
}

TEST_CASE("a body in chunks is put together, and what the next request begins with is left") {
  const std::string chunked =
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4;why=not\r\nbo\r\n\r\n1A\r\n" +
      std::string(26, 'y') + "\r\n0\r\nTrailer: 1\r\n\r\n";
  for (const size_t piece : {size_t{1}, size_t{3}, size_t{1000}})
    CHECK(parsed(chunked, piece).body == "bo\r\n" + std::string(26, 'y'));
  RequestParser parser;
  CHECK(parser.take(chunked + "GET /") == chunked.size());
  CHECK(parser.complete());
}

TEST_CASE("whether a connection goes on is said by version and header") {
  CHECK(parsed(with_header("")).keeps_connection());
  CHECK_FALSE(parsed(with_header("Connection: Upgrade, Close\r\n")).keeps_connection());
  CHECK_FALSE(parsed("GET / HTTP/1.0\r\n\r\n").keeps_connection());
  CHECK(parsed("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").keeps_connection());
}

TEST_CASE("what is no request is refused with the status that says why") {
  CHECK(refused("\r\n" + with_header("")) == 200);  // one line break too many is forgiven
  CHECK(refused("GET / HTTP/1.1\r\n\r\n") == 400);  // no Host
  CHECK(refused("GET / HTTP/1.1\nHost: x\n\n") == 400);
  CHECK(refused("GET /\r\n") == 400);
  CHECK(refused("GET  HTTP/1.1\r\n") == 400);
  CHECK(refused("GET x HTTP/1.1\r\n") == 400);
  CHECK(refused("GET /a b HTTP/1.1\r\n") == 400);
  CHECK(refused("G\x01T / HTTP/1.1\r\n") == 400);
  CHECK(refused("GET / HTTP/2.0\r\n") == 505);
  CHECK(refused(std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n", 12)) == 400);  // TLS
  CHECK(refused(with_header("No colon\r\n")) == 400);
  CHECK(refused(with_header("Name : x\r\n")) == 400);
  CHECK(refused(with_header("a: b\r\n folded\r\n")) == 400);
  CHECK(refused(with_header(std::string("a: b\0c\r\n", 8))) == 400);
  CHECK(refused(with_header("Host: y\r\n")) == 400);
  CHECK(refused(with_header("Expect: wonders\r\n")) == 417);
}

TEST_CASE("lengths that could be read in two ways are refused") {
  CHECK(refused(with_header("Content-Length: 0\r\n")) == 200);
  for (const char* length : {"-1", "+1", "0x1", "1 1", "1,1", "", "1e2"})
    CHECK(refused(with_header("Content-Length: " + std::string(length) + "\r\n")) == 400);
  CHECK(refused(with_header("Content-Length: 1\r\nContent-Length: 1\r\n")) == 400);
  CHECK(refused(with_header("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n")) == 400);
  CHECK(refused(with_header("Transfer-Encoding: gzip, chunked\r\n")) == 501);
  CHECK(refused(with_header("Transfer-Encoding: chunked\r\n") + "zz\r\n") == 400);
  CHECK(refused(with_header("Transfer-Encoding: chunked\r\n") + "2\r\nabc\r\n") == 400);
  CHECK(refused(with_header("Content-Length: 99999999999999999999999\r\n")) == 413);
  CHECK(refused(with_header("Transfer-Encoding: chunked\r\n") + "fffffffffffffffffffff\r\n") == 413);
}

TEST_CASE("every part of a request has a limit, which is checked before it is all there") {
  const Limits limits{.target = 100, .head = 1000, .headers = 5, .body = 50};
  CHECK(refused("GET /" + std::string(100, 'x') + " HTTP/1.1\r\n", limits) == 414);
  CHECK(refused(std::string(1001, 'G'), limits) == 414);
  CHECK(refused("GET / HTTP/1.1\r\na: " + std::string(1000, 'x'), limits) == 431);
  CHECK(refused("GET / HTTP/1.1\r\na:1\r\nb:1\r\nc:1\r\nd:1\r\ne:1\r\nf:1\r\n", limits) == 431);
  CHECK(refused(with_header("Content-Length: 51\r\n"), limits) == 413);
  CHECK(refused(with_header("Transfer-Encoding: chunked\r\n") + "20\r\n" + std::string(32, 'x') + "\r\n13\r\n",
                limits) == 413);
  CHECK(refused(with_header("Transfer-Encoding: chunked\r\n") + "1;" + std::string(1000, 'x'), limits) == 431);
}

TEST_CASE("the head of an answer cannot be broken by what stands in it") {
  const Response response{404, "", "text/plain", {{"X", "a\r\nb"}}};
  CHECK(response_head(response, "Content-Length: 0", false) ==
        "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nX: a  b\r\nContent-Length: 0\r\nConnection: "
        "close\r\n\r\n");
}

namespace {

/// A client's socket.
class Client {
 public:
  explicit Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
  ~Client() { leave(); }
  void send(const std::string& bytes) {
    REQUIRE(::send(socket_, bytes.data(), bytes.size(), 0) == ssize_t(bytes.size()));
  }
  /// All until the server closes the connection, or until `part` is there.
  std::string receive(const std::string& part = "") {
    std::string all;
    char bytes[4096];
    while (part.empty() || all.find(part) == all.npos) {
      const ssize_t count = ::recv(socket_, bytes, sizeof bytes, 0);
      if (count <= 0) break;
      all.append(bytes, size_t(count));
    }
    return all;
  }
  void close_half() { ::shutdown(socket_, SHUT_WR); }
  void leave() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }

 private:
  int socket_;
};

std::atomic<bool> noticed = false;

void echo(const Request& request, Exchange& exchange) {
  if (request.path == "/stream") {
    exchange.begin({200, "", "text/plain"});
    exchange.send("one");
    exchange.send("two");
    return exchange.end();
  }
  if (request.path == "/wait") {
    exchange.begin({200, "", "text/plain"});
    exchange.send("I wait");
    for (int turn = 0; turn < 20'000 && !noticed; ++turn) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      noticed = exchange.client_left();
    }
    return;
  }
  if (request.path == "/throw") throw std::runtime_error("oh");
  exchange.respond({200, request.body, "text/plain"});
}

Response plain(int status, const std::string& reason) { return {status, reason, "text/plain"}; }

ServerOptions quick() {
  ServerOptions options;
  options.times.request = std::chrono::milliseconds(300);
  options.connections = 3;
  return options;
}

}  // namespace

TEST_CASE("a server answers several requests of a connection, whole or in parts") {
  Server server(quick(), echo, plain);
  Client client(server.port());
  client.send(post + std::string("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n"));
  const std::string both = client.receive("0\r\n\r\n");
  CHECK_THAT(both, contains("Content-Length: 4\r\nConnection: keep-alive\r\n\r\nbody"));
  CHECK_THAT(both, contains("\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"));
  client.send("GET /stream HTTP/1.0\r\n\r\n");
  CHECK_THAT(client.receive(), contains("Connection: close\r\n\r\nonetwo"));
  Client other(server.port());
  other.send("HEAD /throw HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK_THAT(other.receive(), contains("HTTP/1.1 500 "));
}

TEST_CASE("a client that waits for leave to send its body gets it") {
  Server server(quick(), echo, plain);
  Client client(server.port());
  client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n");
  CHECK(client.receive("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("hi");
  CHECK_THAT(client.receive(), contains("\r\n\r\nhi"));
}

TEST_CASE("a client that sends too slowly, or too much, is told so") {
  Server server(quick(), echo, plain);
  Client slow(server.port()), wrong(server.port());
  slow.send("GET / HT");
  CHECK_THAT(slow.receive(), contains("HTTP/1.1 408 Request Timeout"));
  wrong.send("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n" + std::string(100'000, 'x'));
  CHECK_THAT(wrong.receive(), contains("HTTP/1.1 413 "));
}

TEST_CASE("more clients than may be there are told to come later") {
  Server server(quick(), echo, plain);
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<Client>(server.port()));
    clients.back()->send(post);
    clients.back()->receive("body");
  }
  Client more(server.port());
  const std::string answer = more.receive();
  CHECK_THAT(answer, contains("HTTP/1.1 503 Service Unavailable"));
  CHECK_THAT(answer, contains("Retry-After: 1\r\n"));
}

TEST_CASE("a handler notices that its client has left, and a server stops when the last answer is given") {
  noticed = false;
  {
    Server server(quick(), echo, plain);
    Client leaving(server.port()), idle(server.port());
    leaving.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    idle.send(post);
    idle.receive("body");
    leaving.receive("I wait");
    server.stop();
    CHECK(idle.receive().empty());
    leaving.leave();
  }
  CHECK(noticed);
}

#ifdef POLLRDHUP
TEST_CASE("what a client sent too much does not hide that it has left") {
  noticed = false;
  Server server(quick(), echo, plain);
  Client leaving(server.port());
  leaving.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n" + std::string(30'000, 'x'));  // more than is read at once
  leaving.receive("I wait");
  leaving.close_half();
  leaving.receive();
  CHECK(noticed);
}

TEST_CASE("the next request of a client that has left is not answered in place of the one before it") {
  const auto wait_or_answer = [](const Request& request, Exchange& exchange) {
    if (request.path != "/wait") return exchange.respond({200, "next", "text/plain"});
    for (int turn = 0; turn < 20'000 && !exchange.client_left(); ++turn)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
  };
  Server server(quick(), wait_or_answer, plain);
  Client leaving(server.port());
  leaving.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n" + std::string(post));
  leaving.close_half();
  CHECK(leaving.receive().empty());
}
#endif

TEST_CASE("a body that nobody wants is not waited for, and nothing follows on its connection") {
  ServerOptions options = quick();
  options.wants_body = [](const Request& request) { return request.header("key") != nullptr; };
  const auto tell = [](const Request& request, Exchange& exchange) {
    exchange.respond({request.whole ? 200 : 401, request.body, "text/plain"});
  };
  Server server(options, tell, plain);
  const std::string large = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n";
  Client without(server.port()), with(server.port());
  without.send(large + "\r\n");
  const std::string refused = without.receive();
  CHECK(refused.starts_with("HTTP/1.1 401 "));
  CHECK_THAT(refused, contains("Connection: close\r\n"));
  with.send(large + "key: 1\r\n\r\n");
  CHECK(with.receive("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
}

TEST_CASE("an address that cannot be had is an error of the user") {
  Server server(quick(), echo, plain);
  ServerOptions same = quick();
  same.port = server.port();
  CHECK_THROWS_AS(Server(same, echo, plain), UserError);
  same.host = "no such host";
  CHECK_THROWS_WITH(Server(same, echo, plain), contains("--host is \"no such host\""));
}
