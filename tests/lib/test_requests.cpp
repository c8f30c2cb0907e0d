// Requests: slots, exact probabilities, what is held out, and the judge of answers.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "lib/base/check.hpp"
#include "lib/base/file.hpp"
#include "lib/grammar/judge.hpp"
#include "lib/grammar/judge_answer.hpp"
#include "lib/grammar/request.hpp"
#include "lib/grammar/slots.hpp"
#include "lib/grammar/statistics.hpp"
#include "tests/lib/grammar_refusal.hpp"
#include "tests/testing.hpp"

using namespace cria;
using cria::testing::contains;
using cria::testing::message_of;

namespace {

// The kind depends on the name, the thing on the world, and the number of sentences on the end.
const Grammar& few() {
  static const Grammar grammar = Grammar::read(R"(
rule story
  [wish] [more] {end.told}
rule more
  [rain] | [rain] [rain] | 2: ()
list hero: name | kind
  3: Mia | {animal.name}
  Tom | {animal.name}
list animal: name
  2: fox | hen
list world: thing
  {water.thing} | 2: {air.thing}
list water: thing
  boat | raft
list air: thing
  kite | 4: drum
list end: name | told
  3: happy | [joy] [more]
  sad | [grief]
sentence wish
  {hero.name}, a {hero.kind}, wanted a {world.thing}.
sentence rain
  It rained.
sentence joy
  {hero.name} got it!
sentence grief
  {hero.name} had no {world.thing}.
request
  A story with {}. | Tell me of {}.
slot name: {hero.name}
  {}
slot kind: {hero.kind}
  a {}
slot thing: {world.thing}
  a {}
slot both: the {animal.name} with a {world.thing}
  {}
slot end: {end.name}
  a {} end
slot length: number of sentences
  {} sentences
)",
                                               "few");
  return grammar;
}

const Grammar& requests() {
  static const Grammar grammar = Grammar::load(data_folder() / "stories" / "requests.grammar");
  return grammar;
}

/// Every value that a story gives to these slots.
std::vector<Asked> values_of(const Grammar& grammar, const DrawnRows& rows, size_t sentences,
                             const std::vector<std::uint32_t>& slots) {
  std::vector<Asked> asked;
  for (const std::uint32_t slot : slots)
    asked.push_back({slot, slot_value(grammar, grammar.slots[slot], rows, sentences).value()});
  return asked;
}

std::string key(const std::vector<Asked>& asked) {
  std::string text;
  for (const Asked& one : asked) text += fmt::format("{}={}\n", one.slot, one.value);
  return text;
}

}  // namespace

TEST_CASE("The probability of slots is the sum over all stories that have them, for every choice of slots") {
  const Grammar& grammar = few();
  std::map<std::string, Story> all;
  Random random(1);
  for (int i = 0; i < 60000; ++i) {
    Story story = generate(grammar, random);
    all.emplace(story.text, std::move(story));
  }
  double total = 0;
  for (const auto& [text, story] : all) total += std::exp2(story.log2_probability);
  REQUIRE(std::abs(total - 1) < 1e-12);  // so the list is complete

  const SlotProbability probability(grammar);
  for (unsigned set = 1; set < 1u << grammar.slots.size(); ++set) {
    std::vector<std::uint32_t> slots;
    for (std::uint32_t s = 0; s < grammar.slots.size(); ++s)
      if (set >> s & 1) slots.push_back(s);
    std::map<std::string, std::pair<std::vector<Asked>, double>> sums;
    for (const auto& [text, story] : all) {
      const auto asked = values_of(grammar, story.rows, story.sentences, slots);
      auto& sum = sums[key(asked)];
      sum.first = asked;
      sum.second += std::exp2(story.log2_probability);
    }
    double given = 0;
    for (auto& [text, sum] : sums) {
      const double p = std::exp2(probability.log2_of(sum.first));
      REQUIRE(std::abs(p - sum.second) < 1e-12);
      std::ranges::reverse(sum.first);  // the order of what is asked for says nothing
      REQUIRE(std::abs(std::exp2(probability.log2_of(sum.first)) - p) < 1e-15);
      given += p;
    }
    REQUIRE(std::abs(given - 1) < 1e-12);
  }
  const std::vector<Asked> impossible = {{0, "Zoe"}}, unequal = {{5, "3"}, {5, "4"}}, no_number = {{5, "many"}};
  CHECK(probability.log2_of(impossible) == -INFINITY);
  CHECK(probability.log2_of(unequal) == -INFINITY);
  CHECK(probability.log2_of(no_number) == -INFINITY);
  CHECK(probability.log2_of({}) == 0);
}

TEST_CASE("Statistics are exact where a thread decides which sentences a story has") {
  std::map<std::string, Story> all;
  Random random(2);
  for (int i = 0; i < 60000; ++i) {
    Story story = generate(few(), random);
    all.emplace(story.text, std::move(story));
  }
  double bits = 0, sentences = 0;
  for (const auto& [text, story] : all) {
    const double p = std::exp2(story.log2_probability);
    bits -= p * story.log2_probability;
    sentences += p * double(story.sentences);
  }
  const GrammarStatistics s = statistics(few());
  CHECK(std::abs(s.stories_log10 - std::log10(double(all.size()))) < 1e-12);
  CHECK(std::abs(s.bits_per_story - bits) < 1e-11);
  CHECK(std::abs(s.sentences_per_story - sentences) < 1e-12);
}

TEST_CASE("Every story on request has one derivation, which draws the rows that the generator drew") {
  const Parser parser(requests());
  Random random(21);
  std::set<std::string> endings;
  for (int i = 0; i < 3000; ++i) {
    const Story story = generate(requests(), random);
    INFO(story.text);
    const auto parse = parser.story(story.text);
    REQUIRE(parse);
    REQUIRE(parse->derivations == 1);
    REQUIRE(parse->log2_probability == story.log2_probability);
    REQUIRE(parse->rows == story.rows);
    const auto sentences = split_sentences(story.text);
    REQUIRE(sentences.size() == story.sentences);
    if (i % 50 == 0)
      for (const auto sentence : sentences) REQUIRE(parser.sentence(sentence));
    for (const Slot& slot : requests().slots) {
      const auto value = slot_value(requests(), slot, story.rows, story.sentences);
      REQUIRE(value);
      if (slot.name == "ending") endings.insert(*value);
    }
  }
  CHECK(endings == std::set<std::string>{"happy", "open", "sad"});
}

TEST_CASE("A story of the built-in grammar is one with a happy end on request") {
  const Grammar grammar = Grammar::load(data_folder() / "stories" / "stories.grammar");
  const Parser parser(requests());
  const auto ending =
      static_cast<std::uint32_t>(std::ranges::find(requests().slots, "ending", &Slot::name) - requests().slots.begin());
  Random random(3);
  for (int i = 0; i < 200; ++i) {
    const Story story = generate(grammar, random);
    const AnswerJudgement judged = judge_answer(parser, std::vector<Asked>{{ending, "happy"}}, story.text);
    REQUIRE(judged.all());
    REQUIRE(std::abs(judged.log2_probability - (story.log2_probability - std::log2(3))) < 1e-9);
  }
}

TEST_CASE("The share of stories that have what a request asks for is the probability of its slots") {
  const RequestSource source(requests());
  const SlotProbability probability(requests());
  Random random(4);
  std::vector<std::vector<Asked>> wanted;
  while (wanted.size() < 60) {
    const auto asked = source.draw(random, Combinations::trained).request.asked;
    if (probability.log2_of(asked) > -8) wanted.push_back(asked);
  }
  const int count = 20000;
  std::vector<int> met(wanted.size());
  for (int i = 0; i < count; ++i) {
    const Story story = generate(requests(), random);
    for (size_t w = 0; w < wanted.size(); ++w)
      met[w] += std::ranges::all_of(wanted[w], [&](const Asked& one) {
        return slot_value(requests(), requests().slots[one.slot], story.rows, story.sentences) == one.value;
      });
  }
  for (size_t w = 0; w < wanted.size(); ++w) {
    const double p = std::exp2(probability.log2_of(wanted[w]));
    INFO(key(wanted[w]));
    CHECK(std::abs(met[w] - p * count) < 4.5 * std::sqrt(count * p * (1 - p)));  // 60 of them: by chance 1 in 2500
  }
}

TEST_CASE("A drawn request is answered by its story, and its words name the values") {
  const RequestSource source(requests());
  const Parser parser(requests());
  const SlotProbability probability(requests());
  Random random(5), again(5);
  std::map<size_t, int> counts;
  for (int i = 0; i < 2000; ++i) {
    const RequestedStory drawn = source.draw(random, Combinations::trained);
    const RequestedStory same = source.draw(again, Combinations::trained);
    REQUIRE(drawn.request.text == same.request.text);
    REQUIRE(drawn.story.text == same.story.text);
    const AnswerJudgement judged = judge_answer(parser, drawn.request.asked, drawn.story.text + "\n");
    REQUIRE(judged.all());
    for (const Asked& one : drawn.request.asked) REQUIRE_THAT(drawn.request.text, contains(one.value));
    REQUIRE(std::abs(drawn.log2_probability -
                     (drawn.story.log2_probability - probability.log2_of(drawn.request.asked))) < 1e-12);
    REQUIRE_FALSE(is_held_out(requests(), drawn.request.asked));
    ++counts[drawn.request.asked.size()];
  }
  CHECK(counts.size() == 4);
  CHECK(counts[1] > counts[4]);  // some of those with four are held out
}

TEST_CASE("Training never meets a combination that is held out, whatever the order of its values") {
  const RequestSource source(requests());
  Random random(6);
  for (int i = 0; i < 500; ++i) {
    auto asked = source.draw(random, Combinations::held_out).request.asked;
    REQUIRE(asked.size() > 1);
    REQUIRE(is_held_out(requests(), asked));
    std::ranges::reverse(asked);
    REQUIRE(is_held_out(requests(), asked));
  }
  // Of random pairs, one in sixteen: 2000 pairs of values, four standard deviations.
  int held = 0;
  for (int i = 0; i < 2000; ++i)
    held +=
        is_held_out(requests(), std::vector<Asked>{{0, fmt::format("a{}", i % 50)}, {1, fmt::format("b{}", i / 50)}});
  CHECK(std::abs(held - 125) < 4 * std::sqrt(2000 * (1. / 16) * (15. / 16)));
}

TEST_CASE("An answer is judged slot by slot") {
  const Parser parser(few());
  const std::vector<Asked> asked = {{0, "Mia"}, {2, "kite"}, {4, "sad"}, {5, "2"}};
  const auto obeyed = [&](const char* answer) {
    const AnswerJudgement judged = judge_answer(parser, asked, answer);
    std::string text = judged.parses ? "" : "no story ";
    for (const bool one : judged.obeyed) text += one ? '1' : '0';
    return text + (judged.all() ? " all" : "");
  };
  CHECK(obeyed("Mia, a fox, wanted a kite. Mia had no kite.") == "1111 all");
  CHECK(obeyed(" Mia, a fox, wanted a kite. Mia had no kite.\n") == "1111 all");
  CHECK(obeyed("Tom, a fox, wanted a drum. Tom had no drum.") == "0011");
  CHECK(obeyed("Mia, a fox, wanted a kite. It rained. Mia got it!") == "1100");
  CHECK(obeyed("Mia, a fox, wanted a kite. Tom had no kite.") == "no story 0000");
  CHECK(obeyed("") == "no story 0000");
  CHECK(obeyed(" ") == "no story 0000");
  CHECK(judge_answer(parser, {}, "Mia, a fox, wanted a kite. Mia had no kite.").all());
}

TEST_CASE("Requests that make no sense are refused with their line") {
  const std::string story =
      "rule story\n  [s] [t]\nrule t\n  [u] | ()\nlist a: b | c\n  x (y|z) | x\nlist d: e\n  x\n"
      "sentence s\n  {a.c}.\nsentence u\n  {a.b} {d.e}.\n";
  CHECK(message_of(story + "slot q: {a.c}\n  a {}\n") == "file: expected both `slot` and `request`, or neither");
  CHECK(message_of(story + "request\n  tell {}\n") == "file: expected both `slot` and `request`, or neither");
  const std::string requested = story + "request\n  tell {}\n";
  CHECK(message_of(requested + "slot q: {a.c}\n  a {}\n") == "no error");
  CHECK(message_of(requested + "slot q: {a.c}\n") == "file:15: slot q has no wording");
  CHECK(message_of(requested + "slot q: {d.e}\n  a {}\n") ==
        "file:15: slot q asks for {d.e}, which not every story mentions");
  CHECK(message_of(requested + "slot q: {a.b}\n  a {}\n") ==
        "file:15: slot q has a choice in its value: expected text and {list.field} only");
  CHECK(message_of(requested + "slot q: [t]\n  a {}\n") ==
        "file:15: slot q has a choice in its value: expected text and {list.field} only");
  CHECK(message_of(requested + "slot q\n  a {}\n") == "file:15: slot q has no value: expected `slot q: {list.field}`");
  CHECK_THAT(message_of(requested + "slot\n  a {}\n"), contains("file:15: `` is no name"));
  for (const char* wording : {"a", "a {} {}", "a {", "a {b} {}", "[a] {}"})
    CHECK(message_of(requested + "slot q: {a.c}\n  " + wording + "\n") ==
          "file:16: a wording has one {}, where what is asked for stands, and no other bracket");
  const std::string slot = "slot q: {a.c}\n  a {}\n";
  CHECK(message_of(requested + slot + slot) == "file:17: slot q is defined twice");
  CHECK(message_of(requested + "request\n  say {}\n" + slot) == "file:15: `request` is there twice");
  CHECK_THROWS_WITH(RequestSource(Grammar::read(story, "file")), contains("the grammar has no requests"));
}
