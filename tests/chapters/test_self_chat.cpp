// Chapter 14: conversations that a model makes by talking to itself.
#include "chapters/14-sft/self_chat.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

using Texts = std::vector<std::string>;

/// Writes what it is told to, and remembers what it was shown.
struct Script {
  std::vector<Texts> texts;
  std::vector<std::vector<TextPrompt>> shown = {};
  std::vector<Texts> stops = {};

  Texts operator()(std::span<const TextPrompt> prompts, std::span<const std::string> until) {
    shown.emplace_back(prompts.begin(), prompts.end());
    stops.emplace_back(until.begin(), until.end());
    REQUIRE(texts[shown.size() - 1].size() == prompts.size());
    return texts[shown.size() - 1];
  }
};

}  // namespace

TEST_CASE("the next question continues a transcript, which ends where the human speaks") {
  const TextPrompt prompt = question_prompt(Texts{"Hi", "And birds?"}, Texts{"Hello", "They sing."});
  REQUIRE(prompt.messages.size() == 1);
  CHECK(prompt.messages[0].role == "user");
  CHECK(prompt.beginning == "[|Human|] Hi\n[|AI|] Hello\n[|Human|] And birds?\n[|AI|] They sing.\n[|Human|]");
  CHECK(prompt.beginning.rfind("[|Human|]") == 65);  // and nothing behind it
}

TEST_CASE("a model talks to itself: answers as a chat, questions as a transcript, all of them learned") {
  Script script{{{"a1", "b1 "}, {" q2", "r2\n"}, {"a2", "b2"}}};
  const std::vector<Conversation> talks = self_chat(Texts{"q1", "r1"}, {2, ""}, std::ref(script));
  REQUIRE(script.shown.size() == 3);
  CHECK(script.shown[0][1].messages == std::vector<Message>{{"user", "r1"}});
  CHECK(script.shown[0][1].beginning.empty());
  CHECK(script.shown[1][0].beginning == "[|Human|] q1\n[|AI|] a1\n[|Human|]");
  CHECK(script.shown[2][0].messages == std::vector<Message>{{"user", "q1"}, {"assistant", "a1"}, {"user", "q2"}});
  CHECK(script.stops == std::vector<Texts>{{}, {"[|Human|]", "[|AI|]"}, {}});
  REQUIRE(talks.size() == 2);
  CHECK(talks[1].messages ==
        std::vector<Message>{{"user", "r1"}, {"assistant", "b1"}, {"user", "r2"}, {"assistant", "b2"}});
  CHECK(talks[1].learned == std::vector<bool>{false, true, false, true});
}

TEST_CASE("a conversation ends where a message is empty or a question comes again, and the others go on") {
  Script script{{{"a1", "", "c1", "d1"}, {"", "s2", "t1 "}, {"c2"}, {"s3"}, {" "}}};
  const std::vector<Conversation> talks = self_chat(Texts{"q1", "r1", "s1", "t1"}, {3, ""}, std::ref(script));
  REQUIRE(talks.size() == 3);  // nothing was answered to r1
  CHECK(talks[0].messages == std::vector<Message>{{"user", "q1"}, {"assistant", "a1"}});
  CHECK(talks[1].messages ==
        std::vector<Message>{{"user", "s1"}, {"assistant", "c1"}, {"user", "s2"}, {"assistant", "c2"}});
  CHECK(talks[2].messages == std::vector<Message>{{"user", "t1"}, {"assistant", "d1"}});  // and then t1 again
}

TEST_CASE("under an instruction answers are sampled with it in every turn, and learned with it in the first") {
  Script script{{{"a1"}, {"q2"}, {"a2"}}};
  const std::vector<Conversation> talks = self_chat(Texts{"q1"}, {2, "Rhyme."}, std::ref(script));
  CHECK(script.shown[2][0].messages ==
        std::vector<Message>{{"user", "Rhyme.\nq1"}, {"assistant", "a1"}, {"user", "Rhyme.\nq2"}});
  CHECK(script.shown[1][0].beginning == "[|Human|] q1\n[|AI|] a1\n[|Human|]");  // the user was not told
  REQUIRE(talks.size() == 1);
  CHECK(talks[0].messages ==
        std::vector<Message>{{"user", "Rhyme.\nq1"}, {"assistant", "a1"}, {"user", "q2"}, {"assistant", "a2"}});
  CHECK(talks[0].learned == std::vector<bool>{false, false, false, true});
}
