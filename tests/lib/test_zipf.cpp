// Facts with Zipf's weights: their probabilities, floor and frequencies.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "lib/grammar/generate.hpp"
#include "lib/grammar/judge.hpp"
#include "lib/grammar/parse.hpp"
#include "lib/grammar/statistics.hpp"
#include "lib/grammar/zipf.hpp"
#include "tests/testing.hpp"

using namespace cria;
using cria::testing::contains;

namespace {

/// All facts of a shape, the most frequent first.
std::vector<std::string> facts_of(const Grammar& grammar) {
  std::vector<std::string> facts;
  for (const Thread& thread : grammar.threads)
    for (const Row& row : thread.rows) facts.push_back(row.fields[0][0].text + " " + row.fields[1][0].text);
  return facts;
}

}  // namespace

TEST_CASE("Zipf's weights by hand, and their sum") {
  // 1, 1/4, 1/9 over 49/36.
  const std::vector<double> p = zipf_probabilities({.facts = 3, .exponent = 1});
  const double expected[] = {36. / 49, 9. / 49, 4. / 49};
  for (size_t k = 0; k < 3; ++k) CHECK(std::abs(p[k] - expected[k]) < 1e-15);
  double sum = 0;
  for (const double one : zipf_probabilities()) sum += one;
  CHECK(std::abs(sum - 1) < 1e-13);
}

TEST_CASE("The floor of facts is that of a sum over all of them") {
  for (const size_t count : {1, 2, 3, 100, 676}) {  // with the last, each key of two letters is taken
    const ZipfShape shape = {.facts = count, .exponent = 0.7, .key = 2, .value = 5};
    double bits = 0, weights = 0;
    for (size_t k = 1; k <= count; ++k) weights += std::pow(double(k), -1.7);
    for (size_t k = 1; k <= count; ++k) {
      const double p = std::pow(double(k), -1.7) / weights;
      bits -= p * std::log2(p);
    }
    const GrammarStatistics s = statistics(zipf_grammar(shape));
    CHECK(std::abs(s.bits_per_story - bits) < 1e-12);
    CHECK(std::abs(std::pow(10, s.stories_log10) / double(count) - 1) < 1e-12);
    CHECK(std::abs(s.bytes_per_story - 9) < 1e-12);  // xx xxxxx and a newline
  }
}

TEST_CASE("A list of no facts, and one of more than there are keys, are refused") {
  CHECK_THROWS_WITH(zipf_grammar({.facts = 0}), contains("0 facts with keys of 4 letters, expected 1 to 456976"));
  CHECK_THROWS_WITH(zipf_grammar({.facts = 677, .key = 2}),
                    contains("677 facts with keys of 2 letters, expected 1 to 676"));
}

TEST_CASE("Facts are drawn as often as their weights say, and say their probability") {
  const ZipfShape shape = {.facts = 50, .exponent = 0.5, .key = 2, .value = 4};
  const Grammar grammar = zipf_grammar(shape);
  const std::vector<std::string> facts = facts_of(grammar);
  const std::vector<double> p = zipf_probabilities(shape);
  std::map<std::string, double> drawn;
  Random random(5);
  const int draws = 100000;
  for (int i = 0; i < draws; ++i) {
    const Story story = generate(grammar, random);
    const auto rank = size_t(std::ranges::find(facts, story.text) - facts.begin());
    REQUIRE(rank < facts.size());
    REQUIRE(std::abs(story.log2_probability - std::log2(p[rank])) < 1e-12);
    ++drawn[story.text];
  }
  double chi_square = 0;
  for (size_t k = 0; k < facts.size(); ++k) {
    const double expected = draws * p[k];  // the least is 121
    chi_square += (drawn[facts[k]] - expected) * (drawn[facts[k]] - expected) / expected;
  }
  // 49 degrees of freedom: one of 1000 seeds is above the one, and one below the other.
  CHECK(chi_square < 85.4);
  CHECK(chi_square > 23.9);
}

TEST_CASE("The built-in facts differ in their keys, and a fact has one derivation") {
  const Grammar grammar = zipf_grammar();
  const std::vector<std::string> facts = facts_of(grammar);
  REQUIRE(facts.size() == 65536);
  std::set<std::string> keys;
  for (const std::string& fact : facts) keys.insert(fact.substr(0, 4));
  CHECK(keys.size() == facts.size());
  const std::vector<double> p = zipf_probabilities();
  const Parser parser(grammar);
  for (const size_t rank : {0, 1, 2, 6, 7, 1000, 65535}) {
    const auto parse = parser.story(facts[rank]);
    REQUIRE(parse);
    CHECK(parse->derivations == 1);
    CHECK(std::abs(parse->log2_probability - std::log2(p[rank])) < 1e-11);
  }
  // The rarest fact comes with 2^-25.4, which 24 bits cannot draw. From its list it comes with 2^-15.7 at least.
  CHECK(std::log2(p.back()) < -25);
  for (const Thread& list : grammar.threads)
    for (const Row& row : list.rows) CHECK(row.log2_probability > -16);
  const std::string wrong = facts[0].substr(0, 5) + facts[1].substr(5);
  CHECK_FALSE(parser.story(wrong));
  const Judgement judged = judge(grammar, facts[7] + "\n" + wrong + "\n" + facts[9] + "\n");
  CHECK(judged.stories == 3);
  CHECK(judged.stories_right == 2);
}
