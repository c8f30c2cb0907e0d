// The thread that runs the model, asked by many at once, and all of the server but for the command line.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/serve/api_error.hpp"
#include "app/serve/look_service.hpp"
#include "app/serve/service.hpp"
#include "chapters/12-open-weights/model_template.hpp"
#include "lib/base/file.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::serve;
using namespace cria::testing;

namespace {

/// The tuned model that comes with cria, behind a port.
struct Serving {
  explicit Serving(EngineOptions options = {.blocks = 64, .places = 4, .waiting = 8}) : model(opened()) {
    served.name = "m";
    served.tokenizer = model.tokenizer.get();
    served.begin = model.config.begin_of_text;
    served.chat_template.emplace(open_chat_template(data_folder() / "assistant", model));
    served.context = 64;
    served.vocabulary = model.config.llama.vocabulary_size;
    ends = answer_ends(model);
    served.trie = std::make_shared<TokenTrie>(*model.tokenizer, ends);
    engine = std::make_unique<EngineThread>(std::make_unique<Engine>(model.weights, *model.tokenizer, ends, options),
                                            ends, options.waiting, metrics);
    served.ends = ends;
    look = std::make_unique<LookService>(served, model, *engine, PageOptions());
    service = std::make_unique<Service>(served, *engine, metrics, ServiceOptions(), look.get());
    server = std::make_unique<http::Server>(
        http::ServerOptions(), [this](auto& request, auto& exchange) { service->answer(request, exchange); },
        [this](int status, const std::string& reason) { return service->refuse(status, reason); });
  }
  static PackedModel opened() { return open_packed_model(data_folder() / "assistant"); }

  TextJob job(size_t tokens, const std::shared_ptr<Mailbox>& mailbox, std::uint64_t seed = 1) const {
    TextJob one;
    one.prompt = served.encode(Prompt("Once"));
    one.options.tokens = tokens;
    one.options.sampling.seed = seed;
    one.mailbox = mailbox;
    return one;
  }

  PackedModel model;
  ServedModel served;
  std::vector<TokenId> ends;
  Metrics metrics;
  std::unique_ptr<EngineThread> engine;
  std::unique_ptr<LookService> look;
  std::unique_ptr<Service> service;
  std::unique_ptr<http::Server> server;
};

/// All of one text.
std::string collected(Mailbox& mailbox) {
  std::string text;
  for (;;) {
    const std::optional<TextPart> part = mailbox.take(std::chrono::seconds(60));
    REQUIRE(part);
    CHECK(part->failure.empty());
    text += part->text;
    if (part->last) return text;
  }
}

std::string written(const Serving& serving, size_t tokens, std::uint64_t seed) {
  const auto mailbox = std::make_shared<Mailbox>();
  serving.engine->submit({serving.job(tokens, mailbox, seed)});
  return collected(*mailbox);
}

template <class Call>
int status_of(Call call) {
  try {
    call();
  } catch (const ApiError& error) {
    return error.status;
  }
  return 200;
}

/// The same token again and again, slowly: texts that still run when the next are submitted, however quick the model
/// is.
class TakesItsTime : public TokenConstraint {
 public:
  std::unique_ptr<TokenConstraint> clone() const override { return std::make_unique<TakesItsTime>(); }
  void mask(View<real, 1> logits) override {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    for (size_t token = 0; token < logits.size(); ++token)
      if (token != 'a') logits(token) = -std::numeric_limits<real>::infinity();
  }
  void take(TokenId) override {}
  bool complete() override { return false; }
};

/// What the server answers to a POST.
std::string posted(std::uint16_t port, const std::string& path, const std::string& body) {
  const int client = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::connect(client, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  const std::string request = "POST " + path +
                              " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
                              "Content-Length: " +
                              std::to_string(body.size()) + "\r\n\r\n" + body;
  REQUIRE(::send(client, request.data(), request.size(), 0) == ssize_t(request.size()));
  std::string answer;
  char bytes[4096];
  for (ssize_t count; (count = ::recv(client, bytes, sizeof bytes, 0)) > 0;) answer.append(bytes, size_t(count));
  ::close(client);
  return answer;
}

}  // namespace

TEST_CASE("texts that many threads ask for are those that each has alone") {
  const Serving serving;
  std::vector<std::string> alone, together(6);
  for (std::uint64_t seed = 0; seed < together.size(); ++seed) alone.push_back(written(serving, 12, seed));
  {
    std::vector<std::jthread> threads;
    for (size_t seed = 0; seed < together.size(); ++seed)
      threads.emplace_back([&, seed] { together[seed] = written(serving, 12, seed); });
  }
  CHECK(together == alone);
}

TEST_CASE("of texts that do not all have room none is begun, and cancelled ones leave room at once") {
  const Serving serving({.blocks = 64, .places = 1, .waiting = 3});
  const auto mailbox = std::make_shared<Mailbox>();
  TextJob longest = serving.job(63, mailbox);
  longest.options.constraint = std::make_shared<TakesItsTime>();
  CHECK(status_of([&] { serving.engine->submit(std::vector<TextJob>(4, longest)); }) == 400);
  const auto first = serving.engine->submit(std::vector<TextJob>(3, longest));
  int refused = 200;
  std::vector<std::uint64_t> more;
  refused = status_of([&] { more = serving.engine->submit(std::vector<TextJob>(3, longest)); });
  CHECK(refused == 429);
  CHECK(more.empty());
  serving.engine->cancel(first);
  for (int round = 0; round < 20; ++round)  // however often: what is cancelled while nothing runs takes no place either
    serving.engine->cancel(serving.engine->submit(std::vector<TextJob>(3, longest)));
  CHECK(written(serving, 4, 1) != "");
  CHECK(serving.engine->figures().waiting == 0);
}

TEST_CASE("a prompt that the cache can never hold is refused with its reason") {
  const Serving serving({.blocks = 2, .places = 1, .waiting = 3});
  TextJob job = serving.job(4, std::make_shared<Mailbox>());
  job.prompt.resize(40, job.prompt.front());
  try {
    serving.engine->submit({job});
    FAIL("it was accepted");
  } catch (const ApiError& error) {
    CHECK(error.status == 400);
    CHECK(error.code == "context_length_exceeded");
  }
}

TEST_CASE("the blank in front of an answer is dropped, also where a stop string keeps it to the end") {
  const Serving serving;
  TextJob job = serving.job(1, std::make_shared<Mailbox>());
  job.options.sampling.temperature = 0;
  serving.engine->submit({job});
  const std::string text = collected(*job.mailbox);
  REQUIRE(text.starts_with(' '));
  job.drops_blank = true;
  serving.engine->submit({job});
  CHECK(collected(*job.mailbox) == text.substr(1));
  job.options.stops = {text + "#"};
  serving.engine->submit({job});
  CHECK(collected(*job.mailbox) == text.substr(1));
}

TEST_CASE("told to stop, the thread finishes what it has and takes nothing new") {
  const Serving serving;
  const auto mailbox = std::make_shared<Mailbox>();
  serving.engine->submit({serving.job(30, mailbox)});
  serving.engine->stop();
  CHECK(collected(*mailbox) != "");
  CHECK(status_of([&] { serving.engine->submit({serving.job(1, mailbox)}); }) == 503);
}

TEST_CASE("who leaves while others are read gets no turn") {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  http::Connection connection(ends[0], -1);
  const http::Request request;
  http::Exchange exchange(connection, request, std::chrono::seconds(1), false);
  Turns turns(0);
  std::jthread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    turns.release();
  });
  { const Turn turn(turns, exchange); }  // the one that waits gets it
  turns.acquire();
  ::close(ends[1]);
  CHECK_THROWS_AS(Turn(turns, exchange), http::ClientLeft);
}

TEST_CASE("whoever looks at the engine sees it between two passes, and makes none") {
  const Serving serving;
  const std::string alone = written(serving, 40, 3);
  std::uint64_t passes = 0;
  {
    const auto mailbox = std::make_shared<Mailbox>();
    serving.engine->submit({serving.job(40, mailbox, 3)});
    for (int look = 0; look < 20; ++look)
      serving.engine->inspect([&](const Engine& engine) {
        CHECK((engine.timeline().passes().empty() ||
               engine.timeline().passes().back().number == engine.figures().passes));
      });
    CHECK(collected(*mailbox) == alone);
  }
  const auto count = [&](const Engine& engine) { passes = engine.figures().passes; };
  serving.engine->inspect(count);
  const std::uint64_t before = passes;
  serving.engine->inspect(count);
  CHECK(passes == before);
  CHECK_THROWS_AS(serving.engine->inspect([](const Engine&) { throw std::runtime_error("a look's own"); }),
                  std::runtime_error);
  serving.engine->stop();
  CHECK(status_of([&] { serving.engine->inspect(count); }) == 503);
}

TEST_CASE("a whole answer and a streamed one are the same, also for many clients at once") {
  const Serving serving;
  const std::string body = R"("messages": [{"role": "user", "content": "Tell a story"}], "seed": 3, "max_tokens": 12)";
  std::vector<std::string> texts(4);
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < texts.size(); ++i)
      threads.emplace_back([&, i] {
        const bool streamed = i % 2;
        const std::string answer = posted(serving.server->port(), "/v1/chat/completions",
                                          "{" + body + (streamed ? R"(, "stream": true})" : "}"));
        if (!streamed) {
          texts[i] = nlohmann::json::parse(answer.substr(answer.find("\r\n\r\n")))["choices"][0]["message"]["content"];
          return;
        }
        const std::string event = "data: {";
        for (size_t at = 0; (at = answer.find(event, at)) != answer.npos; ++at) {
          const size_t begin = at + event.size() - 1;
          const auto chunk = nlohmann::json::parse(answer.substr(begin, answer.find("\n\n", at) - begin));
          texts[i] += chunk["choices"][0]["delta"].value("content", "");
        }
      });
  }
  CHECK(texts[0] != "");
  CHECK(texts == std::vector<std::string>(4, texts[0]));
  CHECK_THAT(posted(serving.server->port(), "/v1/completions", "{"), contains("HTTP/1.1 400 Bad Request"));
}

TEST_CASE("what the page asks for leaves the texts beside it as they are, and is the same each time") {
  const Serving serving({.blocks = 64, .places = 8, .waiting = 32});
  const std::string alone = written(serving, 40, 7);
  const std::pair<const char*, const char*> questions[] = {
      {"/look/tokens", R"({"text": "Once a rabbit"})"},
      {"/look/head", R"({"text": "Once a rabbit", "layer": 1, "head": 2})"},
      {"/look/inside", R"({"text": "Once"})"},
      {"/look/next", R"({"tokens": [571, 257]})"}};
  const auto content = [](const std::string& answer) { return answer.substr(answer.find("\r\n\r\n")); };
  std::vector<std::string> answers(8), texts(4);
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < answers.size(); ++i)
      threads.emplace_back([&, i] {
        const auto& [path, body] = questions[i % 4];
        // Another one's pass may run: then it is told to come again.
        do answers[i] = posted(serving.server->port(), path, body);
        while (answers[i].starts_with("HTTP/1.1 429"));
      });
    for (size_t i = 0; i < texts.size(); ++i) threads.emplace_back([&, i] { texts[i] = written(serving, 40, 7); });
  }
  CHECK(texts == std::vector<std::string>(4, alone));
  for (size_t i = 0; i < 4; ++i) {
    CHECK(answers[i].starts_with("HTTP/1.1 200"));
    CHECK(content(answers[i]) == content(answers[i + 4]));
  }
}

TEST_CASE("an answer has the form that was asked for, its properties in their order") {
  const Serving serving;
  const std::string answer =
      posted(serving.server->port(), "/v1/completions", R"({"prompt": "Once", "max_tokens": 60, "temperature": 0,
      "response_format": {"type": "json_schema", "json_schema": {"name": "pet", "strict": true, "schema": {"type": "object",
      "properties": {"kind": {"enum": ["cat", "dog"]}, "age": {"type": "boolean"}}, "required": ["kind", "age"],
      "additionalProperties": false}}}})");
  const auto choice = nlohmann::json::parse(answer.substr(answer.find("\r\n\r\n")))["choices"][0];
  CHECK(choice["finish_reason"] == "stop");
  const auto pet = nlohmann::ordered_json::parse(choice["text"].get<std::string>());
  CHECK(pet.size() == 2);
  CHECK(pet.begin().key() == "kind");
  CHECK((pet["kind"] == "cat" || pet["kind"] == "dog"));
  CHECK(pet["age"].is_boolean());
}
