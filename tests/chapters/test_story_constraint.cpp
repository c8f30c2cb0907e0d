// Chapter 22, stories as a constraint: what the grammar's own parser accepts, and nothing else.
#include "chapters/09-sampling/generate.hpp"
#include "chapters/22-serving/story_constraint.hpp"
#include "lib/base/file.hpp"
#include "lib/grammar/generate.hpp"
#include "lib/grammar/judge.hpp"
#include "lib/grammar/parse.hpp"
#include "tests/chapters/talkative_llama.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

const std::filesystem::path stories = data_folder() / "stories" / "stories.grammar";

constexpr const char* small_grammar = R"(
rule story
  [meet] [play] [play]
list hero: name | he
  Mia | she
  Mo | he
  Moe | he
list toy: name
  kite | kit
sentence meet
  {hero.name} had a {toy.name}.
  A {toy.name} was with {hero.name}.
sentence play
  {Hero.he} loved the {toy.name}.
  (Soon |Then |){hero.name} (ran|sang).
)";

bool allows(const Grammar& grammar, std::string_view text) {
  StoryText story(grammar);
  for (const char byte : text)
    if (!story.push(static_cast<unsigned char>(byte))) return false;
  return story.may_end();
}

std::string next_bytes(StoryText& story) {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte)
    if (story.push(static_cast<unsigned char>(byte))) story.pop(), bytes += static_cast<char>(byte);
  return bytes;
}

}  // namespace

TEST_CASE("story constraint: the example of the lesson, where a name is decided") {
  const Grammar grammar = Grammar::read(small_grammar, "small");
  StoryText story(grammar);
  CHECK(next_bytes(story) == "AM");
  for (const char byte : std::string("Mo")) REQUIRE(story.push(static_cast<unsigned char>(byte)));
  CHECK(next_bytes(story) == " e");  // Mo or Moe
  for (const char byte : std::string(" had a kit")) REQUIRE(story.push(static_cast<unsigned char>(byte)));
  CHECK(next_bytes(story) == ".e");
  story.push('.'), story.push(' ');
  CHECK(next_bytes(story) == "HMST");  // He, Mo, Soon and Then; not She
  for (const char byte : std::string("He loved the kit")) REQUIRE(story.push(static_cast<unsigned char>(byte)));
  CHECK(next_bytes(story) == ".");  // the kite was excluded above
  CHECK(!story.may_end());
}

TEST_CASE("story constraint: bytes that are taken back leave no trace, and what is kept stays") {
  const Grammar grammar = Grammar::read(small_grammar, "small");
  StoryText story(grammar), other(grammar);
  for (const char byte : std::string("Mia had a kite.")) {
    for (const char wrong : std::string("A kit was")) {  // as far as it goes
      if (!story.push(static_cast<unsigned char>(wrong))) break;
      story.pop();
    }
    REQUIRE(story.push(static_cast<unsigned char>(byte)));
    REQUIRE(other.push(static_cast<unsigned char>(byte)));
    story.keep();
    CHECK(next_bytes(story) == next_bytes(other));
    CHECK(story.ways() == other.ways());
  }
  StoryText copy = story;
  for (const char byte : std::string(" She loved the kite. Mia ran."))
    REQUIRE(copy.push(static_cast<unsigned char>(byte)));
  CHECK(copy.complete());
  CHECK(!story.may_end());
}

TEST_CASE("story constraint: every story of the built-in grammar is allowed, and a thread that changes is not") {
  const Grammar grammar = Grammar::load(stories);
  Random random(11);
  for (int i = 0; i < 10; ++i) {
    const Story story = generate(grammar, random);
    CAPTURE(story.text);
    CHECK(allows(grammar, story.text));
    std::string changed = story.text;
    const std::string name = changed.find("Mia") != changed.npos ? "Mia" : "Tom";
    const size_t last = changed.rfind(name);
    if (last == changed.npos || changed.find(name) == last) continue;
    changed.replace(last, 3, name == "Mia" ? "Zoe" : "Leo");
    CHECK(!Parser(grammar).story(changed));
    CHECK(!allows(grammar, changed));
  }
}

TEST_CASE("story constraint: bytes drawn at random from those allowed are a story, which the parser accepts") {
  const Grammar grammars[] = {Grammar::read(small_grammar, "small"), Grammar::load(stories)};
  Random random(3);
  for (int i = 0; i < 12; ++i) {
    const Grammar& grammar = grammars[i < 10 ? 0 : 1];
    StoryText story(grammar);
    std::string text;
    while (!story.complete()) {
      const std::string bytes = next_bytes(story);
      text += bytes[random.below(static_cast<std::uint32_t>(bytes.size()))];
      REQUIRE(story.push(static_cast<unsigned char>(text.back())));
      story.keep();
    }
    CAPTURE(text);
    CHECK(Parser(grammar).story(text));
  }
}

TEST_CASE("story constraint: an ambiguous grammar has no more ways than differ in what can follow") {
  std::string text = "rule story\n  [end]\nsentence end\n  ";
  for (int i = 0; i < 40; ++i) text += "(a|a|()|())";
  const Grammar grammar = Grammar::read(text + ".\n", "ambiguous");
  StoryText story(grammar);
  for (int i = 0; i < 10; ++i) {
    REQUIRE(story.push('a'));
    CHECK(story.ways() < 100);
  }
  REQUIRE(story.push('.'));
  CHECK(story.complete());
}

TEST_CASE("story constraint: a random model tells right stories, also on from a beginning") {
  const Grammar grammar = Grammar::read(small_grammar, "small");
  const LlamaParameters weights = talkative();
  const Tokenizer tokenizer(bytes_model({"<begin>", "<end>"}));
  const std::vector<TokenId> ends = {*tokenizer.special_id("<end>")};
  const auto trie = std::make_shared<TokenTrie>(tokenizer, ends);
  for (const std::string beginning : {"M", "A kite was wi"}) {
    const auto constraint = std::make_shared<StoryConstraint>(trie, grammar, beginning);
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      Decoder decoder(weights, 256);
      std::string text = beginning;
      const GenerationOptions options{.sampling = {.seed = seed}, .tokens = 200, .constraint = constraint};
      const GenerationResult result = generate_text(decoder, tokenizer, tokenizer.encode(beginning), ends, options,
                                                    [&](std::string_view part) { text += part; });
      CAPTURE(text);
      CHECK(result.ended);
      CHECK(Parser(grammar).story(text));
    }
  }
  CHECK_THROWS_WITH(StoryConstraint(trie, grammar, "Mia has"), contains("at byte 6"));
  CHECK_THROWS_WITH(StoryConstraint(trie, grammar, "Mia had a kit. Mia ran. Mia ran."), contains("whole story"));
}
