// Expands `story` from left to right, as a person would tell it.
#include "lib/grammar/generate.hpp"

#include <cmath>

namespace cria {
namespace {

class Teller {
 public:
  Teller(const Grammar& grammar, Random& random) : grammar_(grammar), random_(random) {
    story_.rows.resize(grammar.threads.size());
  }

  Story tell() {
    expand_rule(grammar_.rules[grammar_.start]);
    return std::move(story_);
  }

 private:
  void expand(const Sequence& sequence) {
    for (const Symbol& symbol : sequence) {
      capital_ = capital_ || symbol.capital;
      if (symbol.kind == Symbol::Kind::text)
        append(symbol.text);
      else if (symbol.kind == Symbol::Kind::rule)
        expand_rule(grammar_.rules[symbol.index]);
      else
        expand(recall(symbol.index).fields[symbol.field]);
    }
  }

  void expand_rule(const Rule& rule) {
    if (rule.is_sentence && story_.sentences++ > 0) story_.text += ' ';
    expand(draw(rule.alternatives).sequence);
  }

  const Row& recall(size_t thread) {
    if (!story_.rows[thread]) story_.rows[thread] = &draw(grammar_.threads[thread].rows);
    return *story_.rows[thread];
  }

  template <class Choice>
  const Choice& draw(const std::vector<Choice>& choices) {
    size_t chosen = 0;
    if (choices.size() > 1) {  // a lone choice takes no random number
      double left = random_.uniform();
      while (chosen + 1 < choices.size() && (left -= std::exp2(choices[chosen].log2_probability)) >= 0) ++chosen;
    }
    story_.log2_probability += choices[chosen].log2_probability;
    return choices[chosen];
  }

  void append(const std::string& text) {
    const size_t begin = story_.text.size();
    story_.text += text;
    if (capital_ && !text.empty() && text[0] >= 'a' && text[0] <= 'z')
      story_.text[begin] = static_cast<char>(text[0] - 'a' + 'A');
    capital_ = capital_ && text.empty();
  }

  const Grammar& grammar_;
  Random& random_;
  bool capital_ = false;  // the next letter is a capital
  Story story_;
};

}  // namespace

Story generate(const Grammar& grammar, Random& random) { return Teller(grammar, random).tell(); }

CorpusTotals write_stories(const Grammar& grammar, std::uint64_t seed, size_t count,
                           const std::function<void(std::string_view)>& write) {
  Random random(seed);
  CorpusTotals totals;
  for (; totals.stories < count; ++totals.stories) {
    Story story = generate(grammar, random);
    story.text += '\n';
    totals.bits -= story.log2_probability;
    totals.bytes += story.text.size();
    totals.sentences += story.sentences;
    write(story.text);
  }
  return totals;
}

}  // namespace cria
