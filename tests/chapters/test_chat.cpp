// A conversation: what it keeps from turn to turn, what it forgets, and how it is stopped.
#include "chapters/12-open-weights/chat.hpp"

#include "chapters/12-open-weights/model_template.hpp"
#include "tests/chapters/chat_model.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

const Model& model() {
  static const Model one = chat_model();
  return one;
}

Chat chat(size_t context = 512, size_t most = 20, double temperature = 0) {
  ChatSettings settings;
  settings.generation.sampling.temperature = temperature;
  settings.generation.tokens = most;
  settings.ends = answer_ends(model());
  settings.context = context;
  return Chat(model(), open_chat_template("", model(), "chatml"), settings);
}

void ignore(std::string_view) {}

}  // namespace

TEST_CASE("a new turn costs its own tokens, and its answer is that of a conversation read anew") {
  Chat kept = chat();
  kept.set_system("Be brief.");
  const ChatAnswer first = kept.ask("Hi", ignore);
  CHECK(first.read_tokens == first.prompt_tokens);
  std::string shown;
  const ChatAnswer second = kept.ask("And?", [&](std::string_view part) { shown += part; });
  CHECK(shown == second.text);
  // All but the answer's last token is in the cache; it, the markers and the question are new.
  CHECK(second.read_tokens == 1 + std::string("?\n?user\nAnd??\n?assistant\n").size());

  Chat fresh = chat();
  fresh.set_messages({{"system", "Be brief."}, {"user", "Hi"}, {"assistant", first.text}});
  CHECK(fresh.ask("And?", ignore).text == second.text);
  CHECK(fresh.messages() == kept.messages());
  CHECK(kept.messages().size() == 5);
}

TEST_CASE("another beginning is read, and what is the same of it is not read again") {
  Chat one = chat();
  one.set_system("Be brief.");
  one.ask("Hi", ignore);
  one.reset();
  CHECK(one.messages() == std::vector<Message>{{"system", "Be brief."}});
  const ChatAnswer again = one.ask("Hello", ignore);
  CHECK(again.read_tokens == std::string("ello?\n?assistant\n").size());
  Chat fresh = chat();
  fresh.set_system("Be brief.");
  CHECK(fresh.ask("Hello", ignore).text == again.text);
  one.set_system("");
  CHECK(one.messages().front().role == "user");
}

TEST_CASE("a context that fills up loses its oldest turns, and the conversation goes on as if they had not been") {
  Chat full = chat(160);
  full.set_system("Be brief.");
  std::vector<std::string> answers;
  size_t forgotten = 0;
  for (int i = 0; i < 8; ++i) {
    const ChatAnswer answer = full.ask("question " + std::to_string(i), ignore);
    CHECK_FALSE(answer.cut);
    answers.push_back(answer.text);
    forgotten += answer.forgotten;
  }
  CHECK(forgotten > 0);
  CHECK(forgotten % 2 == 0);
  CHECK(full.messages().size() == 17);  // all that was said
  Chat rest = chat(160);
  std::vector<Message> remembered{full.messages().front()};
  remembered.insert(remembered.end(), full.messages().begin() + 1 + std::ptrdiff_t(forgotten),
                    full.messages().end() - 2);
  rest.set_messages(remembered);
  CHECK(rest.ask("question 7", ignore).text == answers.back());
}

TEST_CASE("a context that fills up within an answer loses its oldest turns, and the answer goes on") {
  Chat full = chat(120, 60);
  full.ask("one", ignore);
  const ChatAnswer answer = full.ask("two", ignore);
  CHECK(answer.forgotten == 2);
  CHECK(answer.tokens == 60);
  CHECK_FALSE(answer.cut);
}

TEST_CASE("an answer that fills the context by itself is cut, and says so") {
  const ChatAnswer answer = chat(60, 1000).ask("one", ignore);
  CHECK(answer.cut);
  CHECK(answer.prompt_tokens + answer.tokens == 60);
}

TEST_CASE("a message that the context cannot hold is refused, and the conversation stays") {
  Chat one = chat(100);
  one.ask("Hi", ignore);
  const std::vector<Message> before = one.messages();
  CHECK_THROWS_WITH(one.ask(std::string(100, 'x'), ignore), contains("more than the context of 100"));
  CHECK(one.messages() == before);
  CHECK(one.ask("Hi", ignore).forgotten == 0);
}

TEST_CASE("an answer that is stopped stays as far as it came; one that did not begin was not asked for") {
  Chat one = chat(512, 200);
  std::atomic<bool> stop = false;
  size_t parts = 0;
  const ChatAnswer answer = one.ask(
      "Hi", [&](std::string_view part) { stop = (parts += !part.empty()) == 3; }, &stop);
  CHECK(answer.tokens < 10);
  CHECK(one.messages().back() == Message{"assistant", answer.text});
  CHECK(one.ask(std::string(300, 'x'), ignore, &stop).tokens == 0);
  CHECK(one.messages().size() == 2);
  stop = false;
  CHECK(one.ask("Hi", ignore, &stop).tokens == 200);
}

TEST_CASE("the same seed gives the same conversation, and each of its answers is drawn anew") {
  const auto talk = [](std::uint64_t) {
    Chat one = chat(512, 20, 1);
    one.ask("Hi", ignore);
    one.ask("Hi", ignore);
    return one.messages();
  };
  CHECK(talk(0) == talk(0));
  CHECK(talk(0)[1] != talk(0)[3]);
}

TEST_CASE("a conversation that the template refuses is not taken") {
  ChatSettings settings;
  settings.context = 100;
  Chat one(model(), open_chat_template("", model(), "llama2"), settings);
  one.set_messages({{"user", "Hi"}, {"assistant", "Hello!"}});
  CHECK_THROWS_WITH(one.set_messages({{"assistant", "Hello!"}}), contains("must take turns"));
  CHECK(one.messages().size() == 2);
}
