// Sums over all stories without listing them.
//
// The walk is that of generate(), but it takes every choice at once and carries four sums over all beginnings so far.
// Beginnings that can go on in the same ways are added together: those in which every thread is unbound or bound to
// a row of the same kind. Two rows are of one kind when they have the same probability and differ in plain text only,
// so the number of groups stays small. What a rule adds to a group is found once.
#include "lib/grammar/statistics.hpp"

#include <cmath>
#include <map>
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace cria {
namespace {

/// Sums over a group of beginnings, each with probability p.
struct Sums {
  double count = 0, p = 0, p_log2_p = 0, p_bytes = 0, p_sentences = 0;

  void add(const Sums& other) {
    count += other.count;
    p += other.p;
    p_log2_p += other.p_log2_p;
    p_bytes += other.p_bytes;
    p_sentences += other.p_sentences;
  }
  /// These beginnings, each followed by all of `next`.
  Sums followed_by(const Sums& next) const {
    return {count * next.count, p * next.p, p_log2_p * next.p + p * next.p_log2_p, p_bytes * next.p + p * next.p_bytes,
            p_sentences * next.p + p * next.p_sentences};
  }
  /// After one of `ways` choices of probability q each.
  Sums chosen(double log2_q, double ways = 1) const {
    const double q = ways * std::exp2(log2_q);
    return {count * ways, p * q, q * (p_log2_p + p * log2_q), p_bytes * q, p_sentences * q};
  }
};

/// Rows of one thread that differ in plain text only.
struct Kind {
  double log2_probability = 0;
  double rows = 0;
  const Row* example = nullptr;
  std::vector<double> mean_bytes;  // of each field, where it is plain text
};

bool is_plain(const Sequence& sequence) {
  return sequence.empty() || (sequence.size() == 1 && sequence[0].kind == Symbol::Kind::text);
}

std::string describe(const Row& row) {
  std::string text = fmt::format("{}", row.log2_probability);
  for (const Sequence& field : row.fields) {
    text += '|';
    if (is_plain(field)) continue;
    for (const Symbol& s : field) text += fmt::format("<{} {} {} {}>", int(s.kind), s.index, s.field, s.text);
  }
  return text;
}

std::vector<Kind> kinds_of(const Thread& thread) {
  std::map<std::string, Kind> kinds;
  for (const Row& row : thread.rows) {
    Kind& kind = kinds[describe(row)];
    kind.log2_probability = row.log2_probability;
    kind.example = &row;
    kind.rows += 1;
    kind.mean_bytes.resize(row.fields.size());
    for (size_t i = 0; i < row.fields.size(); ++i)
      if (is_plain(row.fields[i]) && !row.fields[i].empty())
        kind.mean_bytes[i] += static_cast<double>(row.fields[i][0].text.size());
  }
  std::vector<Kind> list;
  for (auto& [text, kind] : kinds) {
    for (double& bytes : kind.mean_bytes) bytes /= kind.rows;
    list.push_back(std::move(kind));
  }
  return list;
}

class Walk {
 public:
  explicit Walk(const Grammar& grammar) : grammar_(grammar) {
    for (const Thread& thread : grammar.threads) kinds_.push_back(kinds_of(thread));
  }

  Sums run() {
    Groups all{{Bound(grammar_.threads.size(), 0), one_way}};
    walk_rule(grammar_.start, all);
    Sums total;
    for (const auto& [bound, sums] : all) total.add(sums);
    return total;
  }

 private:
  using Bound = std::vector<std::uint32_t>;  // for each thread 0, or 1 + the kind of its row
  using Groups = std::map<Bound, Sums>;
  static constexpr Sums one_way = {1, 1, 0, 0, 0};

  void walk(const Sequence& sequence, Groups& groups) {
    for (const Symbol& symbol : sequence) {
      if (symbol.kind == Symbol::Kind::rule)
        walk_rule(symbol.index, groups);
      else if (symbol.kind == Symbol::Kind::thread)
        walk_thread(symbol, groups);
      else
        for (auto& [bound, sums] : groups) sums.p_bytes += sums.p * static_cast<double>(symbol.text.size());
    }
  }

  void walk_rule(std::uint32_t rule, Groups& groups) {
    Groups after;
    for (const auto& [bound, sums] : groups)
      for (const auto& [then, given] : given_by_rule(rule, bound)) after[then].add(sums.followed_by(given));
    groups = std::move(after);
  }

  /// What follows a single beginning in which the threads are bound so.
  const Groups& given_by_rule(std::uint32_t index, const Bound& bound) {
    const auto [known, is_new] = known_.try_emplace({index, bound});
    if (!is_new) return known->second;
    const Rule& rule = grammar_.rules[index];
    for (const Alternative& alternative : rule.alternatives) {
      Sums chosen = one_way.chosen(alternative.log2_probability);
      if (rule.is_sentence) chosen.p_sentences += chosen.p, chosen.p_bytes += chosen.p;  // and the space or newline
      Groups branch{{bound, chosen}};
      walk(alternative.sequence, branch);
      for (const auto& [then, sums] : branch) known->second[then].add(sums);
    }
    return known->second;
  }

  void walk_thread(const Symbol& symbol, Groups& groups) {
    Groups after;
    for (const auto& [bound, sums] : groups) {
      for (size_t k = 0; k < kinds_[symbol.index].size(); ++k) {
        if (bound[symbol.index] != 0 && bound[symbol.index] != k + 1) continue;
        const Kind& kind = kinds_[symbol.index][k];
        Bound now = bound;
        now[symbol.index] = static_cast<std::uint32_t>(k + 1);
        Groups one{{now, bound[symbol.index] ? sums : sums.chosen(kind.log2_probability, kind.rows)}};
        const Sequence& field = kind.example->fields[symbol.field];
        if (is_plain(field))
          one[now].p_bytes += one[now].p * kind.mean_bytes[symbol.field];
        else
          walk(field, one);
        for (const auto& [then, result] : one) after[then].add(result);
      }
    }
    groups = std::move(after);
  }

  const Grammar& grammar_;
  std::vector<std::vector<Kind>> kinds_;
  std::map<std::pair<std::uint32_t, Bound>, Groups> known_;
};

/// Adds the words of all plain text, in small letters.
void collect_words(const Sequence& sequence, std::set<std::string>& words) {
  for (const Symbol& symbol : sequence) {
    std::string word;
    for (const char c : symbol.text + " ") {
      const char small = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      if ((small >= 'a' && small <= 'z') || small == '\'')
        word += small;
      else if (!word.empty())
        words.insert(std::exchange(word, {}));
    }
  }
}

}  // namespace

GrammarStatistics statistics(const Grammar& grammar) {
  GrammarStatistics result;
  std::set<std::string> words;
  for (const Rule& rule : grammar.rules) {
    result.rules += !rule.name.empty();
    if (rule.is_sentence) result.sentence_forms += rule.alternatives.size();
    for (const Alternative& alternative : rule.alternatives) collect_words(alternative.sequence, words);
  }
  for (const Thread& thread : grammar.threads)
    for (const Row& row : thread.rows)
      for (const Sequence& field : row.fields) collect_words(field, words);
  result.words = words.size();
  result.threads = grammar.threads.size();

  const Sums sums = Walk(grammar).run();
  result.stories_log10 = std::log10(sums.count);
  result.bits_per_story = -sums.p_log2_p;
  result.bytes_per_story = sums.p_bytes;
  result.sentences_per_story = sums.p_sentences;
  return result;
}

}  // namespace cria
