// Chapter 14: ROUGE-L, and the filter that keeps instructions apart.
#include <algorithm>
#include <map>
#include <set>

#include "chapters/14-sft/instruction_filter.hpp"
#include "lib/base/check.hpp"
#include "lib/base/random.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

using Words = std::vector<WordId>;

/// By the definition: the table of all pairs of beginnings.
size_t plain_subsequence(const Words& a, const Words& b) {
  std::vector<std::vector<size_t>> table(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 1; i <= a.size(); ++i)
    for (size_t j = 1; j <= b.size(); ++j)
      table[i][j] = a[i - 1] == b[j - 1] ? table[i - 1][j - 1] + 1 : std::max(table[i - 1][j], table[i][j - 1]);
  return table[a.size()][b.size()];
}

Words random_words(Random& random, size_t count, std::uint32_t vocabulary) {
  Words words(count);
  for (WordId& word : words) word = random.below(vocabulary);
  return words;
}

}  // namespace

TEST_CASE("ROUGE-L: the example of the lesson, worked by hand") {
  // Lin 2004, section 3.1: "police killed the gunman", and two sentences that share two words with it. Only in the
  // first are three in order.
  CHECK(CommonSubsequence(Words{0, 1, 2, 3}).length(Words{0, 4, 2, 3}) == 3);
  CHECK(rouge_l("police killed the gunman", "police kill the gunman") == 0.75);
  CHECK(rouge_l("police killed the gunman", "the gunman kill police") == 0.5);
  // Of 5 words and 3, with 2 in common: precision 2/5, recall 2/3, F = 1/2.
  CHECK(rouge_l("Name a red bird, please.", "Name a colour!") == f_measure(2, 5, 3));
  CHECK(f_measure(2, 5, 3) == 0.5);
  CHECK(f_measure(0, 0, 3) == 0);
  CHECK(f_measure(3, 3, 3) == 1);
}

TEST_CASE("ROUGE-L is rouge_score's") {
  // rouge_scorer.RougeScorer(["rougeL"]).score(a, b)["rougeL"].fmeasure of rouge_score 0.1.2
  CHECK(difference(rouge_l("Tell a story with a kite, a hero named Ruby and 9 sentences.",
                           "Tell a story with a hero named Milo, and a red kite."),
                   0.64, 1e-12) == "");
  CHECK(rouge_l("It's the U.S.A.", "its the usa") == f_measure(1, 6, 3));  // an apostrophe parts a word
  CHECK(rouge_words("It's 9 o'Clock--NOW") == std::vector<std::string>{"it", "s", "9", "o", "clock", "now"});
  CHECK(rouge_words("Größe, 大きい。") == std::vector<std::string>{"größe", "大きい。"});  // not as there
  CHECK(rouge_words(" .!") == std::vector<std::string>{});
}

TEST_CASE("the longest common subsequence is that of its definition, within 64 words and beyond") {
  Random random(14);
  for (const size_t a : {0, 1, 5, 63, 64, 65, 128, 129, 200, 600})
    for (const size_t b : {0, 1, 7, 64, 150})
      for (const std::uint32_t vocabulary : {1u, 2u, 5u, 40u}) {
        INFO(a << " words and " << b << " of " << vocabulary);
        const Words first = random_words(random, a, vocabulary), second = random_words(random, b, vocabulary + 2);
        CHECK(CommonSubsequence(first).length(second) == plain_subsequence(first, second));
      }
}

TEST_CASE("an instruction is kept if it is unlike all that were kept before") {
  InstructionFilter filter({});
  const FilterJudgement first = filter.add("Name three birds that sing.");
  CHECK(first.verdict == Verdict::kept);
  CHECK(first.similarity == 0);
  CHECK_FALSE(first.nearest);
  const FilterJudgement again = filter.add("name three BIRDS that sing");
  CHECK(again.verdict == Verdict::similar);
  CHECK(again.similarity == 1);
  CHECK(again.nearest == 0u);
  const FilterJudgement like = filter.add("Name three birds that fly.");  // 4 of 5
  CHECK(like.verdict == Verdict::similar);
  CHECK(like.similarity == f_measure(4, 5, 5));
  const FilterJudgement half = filter.add("Name three birds with a beak.");  // 3 of 5 and 6
  CHECK(half.verdict == Verdict::kept);
  CHECK(half.similarity == f_measure(3, 5, 6));
  CHECK(half.nearest == 0u);
  const FilterJudgement other = filter.add("Name two birds with a beak.");  // nearest to the second, 5 of 6
  CHECK(other.verdict == Verdict::similar);
  CHECK(other.nearest == 1u);
  CHECK(other.similarity == f_measure(5, 6, 6));
  CHECK(filter.kept() == 2);
  CHECK(filter.add("Name a bird").verdict == Verdict::too_short);
  std::string words = "w";
  for (int i = 1; i < 150; ++i) words += " w" + std::to_string(i);
  CHECK(filter.add(words).verdict == Verdict::kept);
  CHECK(filter.add(words + " x").verdict == Verdict::too_long);
}

TEST_CASE("what is exactly as similar as the bound is kept, and what the bound rules out was not the nearest") {
  // 7 of 10 words, in a row of 10 that differ: F = 0.7, which is not above it.
  InstructionFilter filter({});
  filter.add("a b c d e f g h i j");
  CHECK(filter.add("a b c d e f g x y z").verdict == Verdict::kept);
  CHECK(filter.add("a b c d e f g h y z").verdict == Verdict::similar);

  // The similarity is the largest of all, as if every pair were compared.
  Random random(2);
  InstructionFilter open({1, 1, 150});
  std::vector<std::string> before;
  for (int i = 0; i < 200; ++i) {
    std::string text;
    for (size_t n = 1 + random.below(12); n > 0; --n) text += std::string(1, char('a' + random.below(9))) + " ";
    double largest = 0;
    for (const std::string& one : before) largest = std::max(largest, rouge_l(one, text));
    const FilterJudgement judged = open.add(text);
    CHECK(judged.similarity == largest);
    if (judged.nearest) CHECK(rouge_l(before[*judged.nearest], text) == largest);
    REQUIRE(judged.verdict == Verdict::kept);  // nothing is above 1
    before.push_back(text);
  }
  CHECK_THROWS_AS(InstructionFilter({1.5}), UserError);
  CHECK_THROWS_AS(InstructionFilter({0.7, 5, 4}), UserError);
}
