// Dialogues of requests: what is asked for, and how probable the stories are.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "lib/base/check.hpp"
#include "lib/base/file.hpp"
#include "lib/grammar/dialogue.hpp"
#include "lib/grammar/judge_answer.hpp"
#include "tests/testing.hpp"

using namespace cria;

namespace {

const Grammar& short_stories() {
  static const Grammar grammar = Grammar::load(data_folder() / "stories" / "turns.grammar");
  return grammar;
}

}  // namespace

TEST_CASE("Every story of a dialogue obeys its question, and its instruction where it has one") {
  const Parser parser(short_stories());
  const DialogueSource source(short_stories());
  Random random(1);
  std::set<std::string> instructions, asked;
  for (int i = 0; i < 2000; ++i) {
    const DialogueTurn turn = source.draw(random, i % 2 == 0);
    const AnswerJudgement question = judge_answer(parser, turn.question.asked, turn.story.text);
    REQUIRE(question.all());
    for (const Asked& one : turn.question.asked) REQUIRE(one.slot != 0);
    asked.insert(turn.question.text);
    REQUIRE(turn.question.asked.size() <= 2);
    REQUIRE(turn.instruction.has_value() == (i % 2 == 0));
    std::vector<Asked> all = turn.question.asked;
    double given = turn.story.log2_probability;  // what is asked for, here by independent lists
    if (turn.instruction) {
      REQUIRE(judge_answer(parser, turn.instruction->asked, turn.story.text).all());
      REQUIRE(turn.instruction->text == "I want heroes named " + turn.instruction->asked.at(0).value + ".");
      instructions.insert(turn.instruction->text);
      all.push_back(turn.instruction->asked.front());
    }
    const std::map<std::string, double> values = {{"name", 10}, {"kind", 8}, {"colour", 8}, {"toy", 8}, {"ending", 3}};
    for (const Asked& one : all) given += std::log2(values.at(short_stories().slots[one.slot].name));
    REQUIRE(std::abs(turn.log2_probability - given) < 1e-12);
  }
  CHECK(instructions.size() == 10);
  CHECK(asked.contains("I want a kite."));
  CHECK(std::ranges::any_of(asked,
                            [](const std::string& text) { return text.find(" and something red.") != text.npos; }));
}

TEST_CASE("An instruction says nothing of the other slots: stories under one are drawn as without") {
  const DialogueSource source(short_stories());
  Random with(3), without(3);
  for (int i = 0; i < 100; ++i) {
    const DialogueTurn one = source.draw(with, true), other = source.draw(without, false);
    REQUIRE(one.story.text == other.story.text);
    without = Random(std::uint64_t(i)), with = Random(std::uint64_t(i));  // the instruction's words took a number
  }
}

TEST_CASE("Dialogues need a slot for instructions and one for questions") {
  const Grammar one = Grammar::read(R"(
rule story
  [only]
list hero: name
  Mia | Tom
sentence only
  {hero.name} sang.
request
  I want {}.
slot name: {hero.name}
  {}
)",
                                    "one");
  CHECK_THROWS_AS(DialogueSource(one), UserError);
}
