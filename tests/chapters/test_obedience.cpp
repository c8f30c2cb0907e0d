// Chapter 14: Ghost attention's data from dialogues, and what is measured of obedience.
#include "chapters/14-sft/ghost_data.hpp"
#include "chapters/14-sft/obedience.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

using Texts = std::vector<std::string>;

const Grammar& two_names() {
  static const Grammar grammar = Grammar::read(R"(
rule story
  [only]
list hero: name
  Mia | Tom
list toy: name
  kite | drum
sentence only
  {hero.name} has a {toy.name}.
request
  Give {}.
slot name: {hero.name}
  {}
slot toy: {toy.name}
  a {}
)",
                                               "two");
  return grammar;
}

/// What stands behind the last of these words in a text, up to the next full stop; nothing where none stands there.
std::string behind(const std::string& text, const std::string& word) {
  const size_t at = text.rfind(word);
  return at == text.npos ? "" : text.substr(at + word.size(), text.find('.', at) - at - word.size());
}

std::string whole(const std::vector<Message>& messages) {
  std::string text;
  for (const Message& message : messages)
    if (message.role == "user") text += message.content + "\n";
  return text;
}

/// Answers the last question's toy, and the hero that it finds in what it looks at.
template <class Hero>
WriteTexts storyteller(Hero hero) {
  return [hero](std::span<const TextPrompt> prompts, std::span<const std::string> stops) {
    REQUIRE(stops.empty());
    Texts texts;
    for (const TextPrompt& prompt : prompts)
      texts.push_back(hero(prompt.messages) + " has a " + behind(prompt.messages.back().content, "Give a ") + ".");
    return texts;
  };
}

/// The name after the last "Give " that no toy follows.
std::string instructed(const std::string& text) {
  const size_t mia = text.rfind("Give Mia"), tom = text.rfind("Give Tom");
  if (mia == text.npos && tom == text.npos) return "Mia";
  return tom == text.npos || (mia != text.npos && mia > tom) ? "Mia" : "Tom";
}

}  // namespace

TEST_CASE("obedience of one that remembers, of one that forgets, and of one that is reminded") {
  const DialogueSource source(two_names());
  const WriteTexts remembers = storyteller([](const auto& messages) { return instructed(whole(messages)); });
  const WriteTexts forgets = storyteller([](const auto& messages) { return instructed(messages.back().content); });
  ObedienceOptions options{64, 3, 5, false};
  for (const TurnObedience& turn : measure_obedience(source, options, remembers)) {
    CHECK(turn.stories == 64);
    CHECK(turn.instruction == 64);
    CHECK(turn.question == 64);
  }
  const std::vector<TurnObedience> forgotten = measure_obedience(source, options, forgets);
  CHECK(forgotten[0].instruction == 64);
  for (size_t t = 1; t < 3; ++t) {
    CHECK(forgotten[t].instruction == forgotten[1].instruction);  // where Mia was wanted anyway
    CHECK(forgotten[t].instruction > 16);
    CHECK(forgotten[t].instruction < 48);
    CHECK(forgotten[t].question == 64);
  }
  options.reminded = true;
  for (const TurnObedience& turn : measure_obedience(source, options, forgets)) CHECK(turn.instruction == 64);
}

TEST_CASE("what is no story obeys nothing, and its dialogue goes on with what was said") {
  const DialogueSource source(two_names());
  size_t turn = 0;
  const auto write = [&](std::span<const TextPrompt> prompts, std::span<const std::string>) {
    if (turn == 1) CHECK(prompts[0].messages[1] == Message{"assistant", "No."});
    if (turn == 2) CHECK(prompts[0].messages[3] == Message{"assistant", ""});
    REQUIRE(prompts[0].messages.size() == 2 * turn + 1);
    return Texts(prompts.size(), turn++ == 0 ? "No." : "");
  };
  for (const TurnObedience& one : measure_obedience(source, {4, 3, 1, false}, write)) {
    CHECK(one.stories == 0);
    CHECK(one.instruction == 0);
    CHECK(one.question == 0);
  }
}

TEST_CASE("Ghost attention's data: the last answer is new, sampled under the instruction, the others stay") {
  const std::vector<Instruction> dialogues = {
      {{{"user", "q1"}, {"assistant", "a1"}}, "one"},
      {{{"user", "q1"}, {"assistant", "a1"}, {"user", "q2"}, {"assistant", "a2"}}, "two"},
      {{{"user", "q3"}, {"assistant", "a3"}}, "three"}};
  std::vector<TextPrompt> shown;
  const auto write = [&](std::span<const TextPrompt> prompts, std::span<const std::string>) {
    shown.assign(prompts.begin(), prompts.end());
    return Texts{"n1", "n2", ""};
  };
  const std::vector<Conversation> ghosts = ghost_data(dialogues, Texts{"Rhyme."}, 1, write);
  CHECK(shown[1].messages == std::vector<Message>{{"user", "Rhyme.\nq1"}, {"assistant", "a1"}, {"user", "Rhyme.\nq2"}});
  REQUIRE(ghosts.size() == 2);  // nothing was answered to q3
  CHECK(ghosts[0].messages == std::vector<Message>{{"user", "Rhyme.\nq1"}, {"assistant", "n1"}});
  CHECK(ghosts[1].messages ==
        std::vector<Message>{{"user", "Rhyme.\nq1"}, {"assistant", "a1"}, {"user", "q2"}, {"assistant", "n2"}});
  CHECK(ghosts[1].learned == std::vector<bool>{false, false, false, true});
}

TEST_CASE(
    "Ghost attention's data: every instruction is drawn, and refused is what has no questions and answers in turn") {
  const std::vector<Instruction> dialogues(40, {{{"user", "q"}, {"assistant", "a"}}, "place"});
  const WriteTexts write = [](std::span<const TextPrompt> prompts, std::span<const std::string>) {
    return Texts(prompts.size(), "n");
  };
  size_t first = 0;
  for (const Conversation& ghost : ghost_data(dialogues, Texts{"A.", "B."}, 1, write))
    first += ghost.messages[0].content == "A.\nq";
  CHECK(first > 8);
  CHECK(first < 32);
  const std::vector<Instruction> told = {{{{"system", "s"}, {"user", "q"}, {"assistant", "a"}}, "file, example 3"}};
  CHECK_THROWS_WITH(ghost_data(told, Texts{"A."}, 1, write),
                    "file, example 3: has a message of the system's, expected a question or an answer in turn: "
                    "instructions are joined to questions");
}
