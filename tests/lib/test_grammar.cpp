// The grammar library on small grammars made by hand: generating, parsing, judging, counting.
#include <cmath>
#include <map>

#include "lib/grammar/generate.hpp"
#include "lib/grammar/judge.hpp"
#include "lib/grammar/parse.hpp"
#include "lib/grammar/statistics.hpp"
#include "tests/testing.hpp"

using namespace cria;
using cria::testing::contains;

namespace {

// 2 names x 3 things, the thing drawn in the first sentence and recalled in the last; one sentence in half the stories.
constexpr const char* small_text = R"(
rule story
  [wish] [weather] [end]
rule weather
  [rain] | ()

list hero: name | he
  3: Mia | she
  Tom | he
list thing: name
  kite | ball | drum

sentence wish
  {hero.name} wanted a {thing.name}.
sentence rain
  It rained (a little|a lot).
sentence end
  {Hero.he} got a {thing.name}!
)";

Grammar small() { return Grammar::read(small_text, "small"); }

}  // namespace

TEST_CASE("A story is parsed with the probability worked out by hand") {
  const Grammar grammar = small();
  const Parser parser(grammar);
  // hero Mia 3/4, thing 1/3, rain 1/2, a lot 1/2
  const auto parse = parser.story("Mia wanted a ball. It rained a lot. She got a ball!");
  REQUIRE(parse);
  CHECK(parse->derivations == 1);
  CHECK(std::abs(parse->log2_probability - std::log2(3.0 / 4 / 3 / 2 / 2)) < 1e-12);
}

TEST_CASE("A text that breaks a thread, stops early or goes on has no derivation") {
  const Grammar grammar = small();
  const Parser parser(grammar);
  CHECK(parser.story("Tom wanted a kite. He got a kite!"));
  CHECK_FALSE(parser.story("Tom wanted a kite. She got a kite!"));
  CHECK_FALSE(parser.story("Tom wanted a kite. He got a drum!"));
  CHECK_FALSE(parser.story("Tom wanted a kite."));
  CHECK_FALSE(parser.story("Tom wanted a kite. He got a kite! He got a kite!"));
  CHECK_FALSE(parser.story("Tom wanted a kite. he got a kite!"));
  CHECK_FALSE(parser.story("Tom wanted a kite.  He got a kite!"));
  CHECK_FALSE(parser.story(""));
}

TEST_CASE("A text goes on as its stories do, with their probabilities worked out by hand") {
  const Grammar grammar = small();
  const Parser parser(grammar);
  const auto after = [&](std::string_view beginning) {
    std::map<std::string, double> ways;
    for (const StoryWay& way : parser.ways_on(beginning)) ways[way.text] += std::exp2(way.log2_probability);
    return ways;
  };
  const auto check = [&](std::string_view beginning, const std::map<std::string, double>& expected) {
    INFO(beginning);
    const std::map<std::string, double> ways = after(beginning);
    REQUIRE(ways.size() == expected.size());
    for (const auto& [text, probability] : expected) {
      INFO(text);
      REQUIRE(ways.contains(text));
      CHECK(ways.at(text) == Approx(probability).epsilon(1e-12));
    }
  };
  check("", {{"Mia", 0.75}, {"Tom", 0.25}});
  check("Mi", {{"a", 0.75}});
  check("Mia wanted a ", {{"kite", 0.25}, {"ball", 0.25}, {"drum", 0.25}});
  check("Mia wanted a kite", {{".", 0.25}});
  // It rains in half the stories, and then the sentence is one of two; a space is what stands before either.
  check("Mia wanted a kite.", {{" ", 0.25}});
  check("Mia wanted a kite. ", {{"It rained ", 0.125}, {"She", 0.125}});
  check("Mia wanted a kite. It rained a", {{" little", 0.0625}, {" lot", 0.0625}});
  check("Mia wanted a kite. She got a ", {{"kite", 0.125}});
  check("Mia wanted a kite. She got a kite!", {{"", 0.125}});
  check("Mia wanted a kite. He", {});
  check("Mia wanted a kite. She got a kite! And", {});
}

TEST_CASE("A sentence is judged without what came before it") {
  const Grammar grammar = small();
  const Parser parser(grammar);
  CHECK(parser.sentence("She got a drum!"));
  CHECK(parser.sentence("It rained a little."));
  CHECK_FALSE(parser.sentence("It rained."));
  CHECK_FALSE(parser.sentence("She got a drum! It rained a little."));
}

TEST_CASE("The derivations of an ambiguous text are counted and their probabilities added") {
  const Grammar grammar = Grammar::read("rule story\n  [a]\nsentence a\n  3: go (on|on).\n  go on.\n  stop.\n", "g");
  const auto parse = Parser(grammar).story("go on.");
  REQUIRE(parse);
  CHECK(parse->derivations == 3);
  CHECK(std::abs(parse->log2_probability - std::log2(0.8)) < 1e-12);
}

TEST_CASE("An ambiguous text takes time by its length, not by its derivations") {
  std::string choices;
  for (int i = 0; i < 60; ++i) choices += "(a|aa)";
  const Grammar grammar = Grammar::read("rule story\n  [s]\nsentence s\n  " + choices + ".\n", "g");
  const Parser parser(grammar);
  const auto all = parser.story(std::string(90, 'a') + ".");
  REQUIRE(all);
  CHECK(all->derivations == 118264581564861424u);  // of 60 choices, 30 are aa: 60! / 30!^2
  CHECK(std::abs(all->log2_probability - (std::log2(118264581564861424.0) - 60)) < 1e-12);
  CHECK(parser.sentence(std::string(120, 'a') + "."));
  CHECK_FALSE(parser.story(std::string(90, 'a') + "b."));
  CHECK(parser.why_not_story(std::string(59, 'a') + ".").expected == "aa or a");

  // Two ways to say the same at each of 60 levels; and two mentions of what may be nothing at each of 12.
  std::string deep = "rule story\n  [s]\nsentence s\n  A [r0].\n", empty = deep;
  for (int i = 0; i < 60; ++i) deep += fmt::format("rule r{}\n  [r{}] | [r{}]\n", i, i + 1, i + 1);
  for (int i = 0; i < 12; ++i) empty += fmt::format("rule r{}\n  [r{}][r{}]\n", i, i + 1, i + 1);
  const Grammar deep_grammar = Grammar::read(deep + "rule r60\n  x\n", "deep");
  const auto same = Parser(deep_grammar).story("A x.");
  REQUIRE(same);
  CHECK(same->derivations == size_t{1} << 60);
  CHECK(same->log2_probability == 0);
  CHECK(statistics(deep_grammar).bytes_per_story == 5);
  const Grammar empty_grammar = Grammar::read(empty + "rule r12\n  x | ()\n", "empty");
  const auto few = Parser(empty_grammar).story("A xx.");  // two of 4096
  REQUIRE(few);
  CHECK(few->derivations == 4096 * 4095 / 2);
  CHECK(std::abs(few->log2_probability - (std::log2(4096 * 4095 / 2) - 4096)) < 1e-9);
}

TEST_CASE("Threads that any of many rows fit are given up with a message, not with all memory") {
  std::string lists, mentions;
  for (int i = 0; i < 40; ++i) {
    lists += fmt::format("list t{}: a | b\n  x | y\n  x | z\n", i);
    mentions += fmt::format("{{t{}.a}}", i);
  }
  const Grammar grammar = Grammar::read("rule story\n  [s]\n" + lists + "sentence s\n  " + mentions + ".\n", "g");
  CHECK_THROWS_WITH(Parser(grammar).story(std::string(40, 'x') + "."), contains("the grammar is too ambiguous"));
}

TEST_CASE("A capital is given to the first letter that comes, past what is empty and the space before a sentence") {
  const Grammar grammar = Grammar::read(R"(
rule story
  [greeting] [Answer]
sentence greeting
  [Size]bears meet.
sentence answer
  [both]they dance.
rule both
  [Size][size]
rule size
  () | big
)",
                                        "capital");
  const Parser parser(grammar);
  for (const char* story :
       {"Bears meet. They dance.", "Bigbears meet. Bigthey dance.", "Bears meet. Bigbigthey dance."}) {
    CAPTURE(story);
    CHECK(parser.story(story));
  }
  CHECK_FALSE(parser.story("bears meet. They dance."));
  CHECK_FALSE(parser.story("Bears meet. they dance."));
  CHECK(parser.sentence("They dance."));
  CHECK_FALSE(parser.sentence("they dance."));
  Random random(7);
  for (int i = 0; i < 20; ++i) {
    const Story story = generate(grammar, random);
    CAPTURE(story.text);
    CHECK(parser.story(story.text));
  }
}

TEST_CASE("Weights give the frequencies of what is generated") {
  const Grammar grammar = small();
  Random random(5);
  const int count = 20000;
  int mia = 0, rain = 0;
  for (int i = 0; i < count; ++i) {
    const std::string text = generate(grammar, random).text;
    mia += text.starts_with("Mia");
    rain += text.find("rained") != text.npos;
  }
  // Four standard deviations of a binomial.
  CHECK(std::abs(mia - 0.75 * count) < 4 * std::sqrt(count * 0.75 * 0.25));
  CHECK(std::abs(rain - 0.5 * count) < 4 * std::sqrt(count * 0.25));
}

TEST_CASE("Statistics equal the sums over all stories, listed one by one") {
  const Grammar grammar = small();
  std::map<std::string, Story> all;
  Random random(1);
  for (int i = 0; i < 5000; ++i) {
    const Story story = generate(grammar, random);
    all[story.text] = story;
  }
  REQUIRE(all.size() == 2 * 3 * 3);
  double p = 0, bits = 0, bytes = 0, sentences = 0;
  for (const auto& [text, story] : all) {
    const double q = std::exp2(story.log2_probability);
    p += q;
    bits -= q * story.log2_probability;
    bytes += q * static_cast<double>(text.size() + 1);
    sentences += q * static_cast<double>(story.sentences);
  }
  const GrammarStatistics s = statistics(grammar);
  CHECK(std::abs(p - 1) < 1e-12);
  CHECK(std::abs(s.stories_log10 - std::log10(18)) < 1e-12);
  CHECK(std::abs(s.bits_per_story - bits) < 1e-12);
  CHECK(std::abs(s.bytes_per_story - bytes) < 1e-12);
  CHECK(std::abs(s.sentences_per_story - sentences) < 1e-12);
  CHECK(s.sentence_forms == 3);
  CHECK(s.words == 14);  // mia tom she he kite ball drum wanted a it rained little lot got
}

TEST_CASE("Lists that refer to lists keep the statistics exact") {
  const char* text = R"(
rule story
  [a] [b]
list world: toy | how
  2: {boat.name} | (slowly|fast)
  {kite.name} | high
list boat: name
  raft | ship | canoe
list kite: name
  5: kite | glider
sentence a
  a {world.toy}.
  the {boat.name}.
sentence b
  {World.toy} {world.how}.
)";
  const Grammar grammar = Grammar::read(text, "g");
  const Parser parser(grammar);
  std::map<std::string, double> all;
  Random random(3);
  for (int i = 0; i < 20000; ++i) {
    const Story story = generate(grammar, random);
    all[story.text] = story.log2_probability;
    REQUIRE(parser.story(story.text)->derivations == 1);
  }
  double p = 0, bits = 0, bytes = 0;
  for (const auto& [story, q] : all) {
    p += std::exp2(q);
    bits -= std::exp2(q) * q;
    bytes += std::exp2(q) * static_cast<double>(story.size() + 1);
  }
  REQUIRE(std::abs(p - 1) < 1e-12);  // so the list is complete
  const GrammarStatistics s = statistics(grammar);
  CHECK(std::abs(std::exp2(std::log2(10) * s.stories_log10) - static_cast<double>(all.size())) < 1e-9);
  CHECK(std::abs(s.bits_per_story - bits) < 1e-12);
  CHECK(std::abs(s.bytes_per_story - bytes) < 1e-12);
}

TEST_CASE("A story is cut into sentences at their ends, not inside speech") {
  const auto s = split_sentences(R"(Mia ran. "Can I help?" asked Tom. "Oh no!" Then it was 3.5 miles. and so)");
  REQUIRE(s.size() == 4);
  CHECK(s[0] == "Mia ran.");
  CHECK(s[1] == R"("Can I help?" asked Tom.)");
  CHECK(s[2] == R"("Oh no!")");
  CHECK(s[3] == "Then it was 3.5 miles. and so");
  CHECK(split_sentences("  ").empty());
  CHECK(split_sentences("Mia ran").size() == 1);
}

TEST_CASE("The judge counts sentences and stories, and says what is wrong") {
  const Judgement j = judge(small(),
                            "Mia wanted a ball. She got a ball!\n"     // right
                            "\n"                                       // no story
                            "Mia wanted a ball. He got a ball!\r\n"    // sentences right, thread broken
                            "Tom wanted a cat. It rained a lot. He");  // one sentence of three right
  CHECK(j.stories == 3);
  CHECK(j.stories_right == 1);
  CHECK(j.sentences == 7);
  CHECK(j.sentences_allowed == 5);
  CHECK(j.bytes == 35);
  CHECK(std::abs(j.bits - -std::log2(3.0 / 4 / 3 / 2)) < 1e-12);
  REQUIRE(j.faults.size() == 2);
  CHECK(j.faults[0].story == 2);
  CHECK(j.faults[0].sentence == 2);
  CHECK(j.faults[0].text == "He got a ball!");
  CHECK(j.faults[0].reason == "found `He`, expected she (hero.he, drawn before) or It rained");
  CHECK(j.faults[1].story == 3);
  CHECK(j.faults[1].sentence == 1);
  CHECK(j.faults[1].reason == "found `cat.`, expected kite or ball or drum");
  // What is expected begins where what was found does, in the middle of a line's text as well.
  const Judgement middle = judge(small(), "Mia wanted the ball. She got a ball!");
  REQUIRE(middle.faults.size() == 1);
  CHECK(middle.faults[0].reason == "found `the`, expected a");
}

TEST_CASE("Stories with several lines are one each when something else stands between them") {
  const std::string text =
      "Mia wanted a ball.\nShe got a ball!\n<|end|>\nTom wanted a kite. He got a kite!\r\n<|end|>\n\n";
  const auto stories = split_stories(text, "<|end|>");
  REQUIRE(stories.size() == 2);
  CHECK(stories[0] == "Mia wanted a ball.\nShe got a ball!");
  CHECK(stories[1] == "Tom wanted a kite. He got a kite!");
  const Judgement j = judge(small(), stories);
  CHECK(j.stories == 2);
  CHECK(j.stories_right == 1);  // this grammar has no line ends
  REQUIRE(j.faults.size() == 1);
  CHECK(j.faults[0].story == 1);
  CHECK(split_stories("a\n\n \nb\r\n").size() == 2);
  CHECK_THROWS_AS(split_stories("a", ""), ContractError);
  // A model that told nothing told a wrong story.
  const std::vector<std::string_view> told = {"", "Tom wanted a kite. He got a kite!"};
  CHECK(judge(small(), told).stories == 2);
  CHECK(judge(small(), told).stories_right == 1);
}

TEST_CASE("What was expected is said as fast where it is one of very many") {
  std::string text = "rule story\n  [s]\nsentence s\n";
  for (int i = 0; i < 50000; ++i) text += fmt::format("  w{}.\n", i);
  const Grammar grammar = Grammar::read(text, "g");
  CHECK(Parser(grammar).why_not_story("x.").expected == "w0. or w1. or w2. or w3. or …");
}

TEST_CASE("The judge stands any bytes") {
  std::string noise;
  Random random(9);
  for (int i = 0; i < 20000; ++i) noise += static_cast<char>(random.below(256));
  const Judgement j = judge(small(), noise);
  CHECK(j.stories > 10);
  CHECK(j.stories_right == 0);
  CHECK(judge(small(), "").stories == 0);
}
