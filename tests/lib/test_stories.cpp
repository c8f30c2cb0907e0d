// The built-in stories: what data/stories/stories.grammar must hold for the floor to mean what it says.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "lib/base/file.hpp"
#include "lib/grammar/generate.hpp"
#include "lib/grammar/judge.hpp"
#include "lib/grammar/parse.hpp"
#include "lib/grammar/statistics.hpp"
#include "tests/testing.hpp"

using namespace cria;
using cria::testing::contains;

namespace {

const Grammar& stories() {
  static const Grammar grammar = Grammar::load(data_folder() / "stories" / "stories.grammar");
  return grammar;
}

std::string replaced(std::string text, size_t at, const std::string& from, const std::string& to) {
  return text.replace(at, from.size(), to);
}

/// The hero's names that are recalled with this pronoun.
std::set<std::string> names_with_pronoun(const std::string& pronoun) {
  const auto& threads = stories().threads;
  const auto hero = std::find_if(threads.begin(), threads.end(), [](const Thread& t) { return t.name == "hero"; });
  const auto field = [&](const std::string& name) {
    return static_cast<size_t>(std::find(hero->fields.begin(), hero->fields.end(), name) - hero->fields.begin());
  };
  std::set<std::string> names;
  for (const Row& row : hero->rows)
    if (row.fields[field("he")].front().text == pronoun) names.insert(row.fields[field("name")].front().text);
  return names;
}

}  // namespace

TEST_CASE("The built-in stories are many and varied") {
  const GrammarStatistics s = statistics(stories());
  CHECK(s.words >= 400);
  CHECK(s.sentence_forms >= 60);
  CHECK(s.stories_log10 >= 12);
  CHECK(s.sentences_per_story > 8);
  CHECK(s.sentences_per_story < 12);
}

TEST_CASE("The probabilities of every rule and list sum to 1") {
  for (const Rule& rule : stories().rules) {
    double sum = 0;
    for (const Alternative& alternative : rule.alternatives) sum += std::exp2(alternative.log2_probability);
    CHECK(std::abs(sum - 1) < 1e-12);
  }
  for (const Thread& thread : stories().threads) {
    double sum = 0;
    for (const Row& row : thread.rows) sum += std::exp2(row.log2_probability);
    CHECK(std::abs(sum - 1) < 1e-12);
  }
}

TEST_CASE("Every story has one derivation, with the probability that the generator gave it") {
  const Parser parser(stories());
  Random random(11);
  for (int i = 0; i < 5000; ++i) {
    const Story story = generate(stories(), random);
    const auto parse = parser.story(story.text);
    INFO(story.text);
    REQUIRE(parse);
    REQUIRE(parse->derivations == 1);
    // Both add the same hundred or so numbers in the same order.
    REQUIRE(parse->log2_probability == story.log2_probability);
    REQUIRE(split_sentences(story.text).size() == story.sentences);
  }
}

TEST_CASE("The mean over many stories agrees with the exact entropy and length") {
  const GrammarStatistics s = statistics(stories());
  Random random(12);
  const int count = 20000;
  double bits = 0, bits2 = 0, bytes = 0, bytes2 = 0;
  for (int i = 0; i < count; ++i) {
    const Story story = generate(stories(), random);
    const double b = -story.log2_probability, n = static_cast<double>(story.text.size() + 1);
    bits += b / count, bits2 += b * b / count, bytes += n / count, bytes2 += n * n / count;
  }
  // Four standard errors of the mean.
  CHECK(std::abs(bits - s.bits_per_story) < 4 * std::sqrt((bits2 - bits * bits) / count));
  CHECK(std::abs(bytes - s.bytes_per_story) < 4 * std::sqrt((bytes2 - bytes * bytes) / count));
}

TEST_CASE("Same seed, same stories, as many as wanted") {
  std::string first, again, other;
  const CorpusTotals totals = write_stories(stories(), 7, 50, [&](std::string_view text) { first += text; });
  write_stories(stories(), 7, 50, [&](std::string_view text) { again += text; });
  write_stories(stories(), 8, 50, [&](std::string_view text) { other += text; });
  CHECK(first == again);
  CHECK(first != other);
  CHECK(totals.stories == 50);
  CHECK(totals.bytes == first.size());
  CHECK(std::count(first.begin(), first.end(), '\n') == 50);

  const Judgement j = judge(stories(), first);
  CHECK(j.stories_right == 50);
  CHECK(j.sentences == totals.sentences);
  CHECK(j.sentences_allowed == j.sentences);
  CHECK(j.bytes == totals.bytes);
  CHECK(std::abs(*j.floor() - totals.floor()) < 1e-12);
}

TEST_CASE("A story that forgets its hero's name is wrong, though each of its sentences is allowed") {
  const Parser parser(stories());
  Random random(13);
  const std::set<std::string> girls = names_with_pronoun("she");
  REQUIRE(girls.size() > 1);
  int tried = 0;
  for (int i = 0; i < 300; ++i) {
    const std::string text = generate(stories(), random).text;
    // The hero's last mention, when it is in the last sentence.
    const size_t last = static_cast<size_t>(split_sentences(text).back().data() - split_sentences(text).front().data());
    for (const std::string& name : girls) {
      const size_t at = text.find(name, last);
      if (at == text.npos) continue;
      const std::string wrong = replaced(text, at, name, name == *girls.begin() ? *girls.rbegin() : *girls.begin());
      const Judgement j = judge(stories(), wrong);
      CHECK(j.sentences_allowed == j.sentences);
      CHECK(j.stories_right == 0);
      REQUIRE(j.faults.size() == 1);
      CHECK(j.faults[0].sentence == j.sentences);
      CHECK_THAT(j.faults[0].reason, contains(name + " (hero.name, drawn before)"));
      ++tried;
    }
  }
  CHECK(tried > 50);
}

TEST_CASE("No word of the stories is rare") {
  std::map<std::string, int> stories_with;
  Random random(14);
  const int count = 20000;
  for (int i = 0; i < count; ++i) {
    std::set<std::string> words;
    std::string word;
    for (const char c : generate(stories(), random).text + " ") {
      if (std::isalpha(static_cast<unsigned char>(c)))
        word += c;
      else if (!word.empty())
        words.insert(std::exchange(word, ""));
    }
    for (const std::string& w : words) ++stories_with[w];
  }
  // Once in 1500 stories; four standard deviations below that mean, a word still shows up.
  const double expected = count / 1500.0;
  for (const auto& [w, n] : stories_with) {
    INFO(w << " in " << n << " of " << count);
    CHECK(n > expected - 4 * std::sqrt(expected) * 0.9);
  }
  CHECK(stories_with.size() > 400);
}
