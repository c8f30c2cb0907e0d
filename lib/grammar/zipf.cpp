#include "lib/grammar/zipf.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_set>

#include "lib/base/check.hpp"
#include "lib/base/random.hpp"

namespace cria {
namespace {

std::string random_letters(std::size_t count, Random& random) {
  std::string letters;
  for (std::size_t i = 0; i < count; ++i) letters += char('a' + random.below(26));
  return letters;
}

Symbol plain(std::string letters) { return {.kind = Symbol::Kind::text, .text = std::move(letters)}; }

}  // namespace

std::vector<double> zipf_probabilities(const ZipfShape& shape) {
  std::vector<double> p(shape.facts);
  for (std::size_t k = 0; k < p.size(); ++k) p[k] = std::pow(double(k + 1), -(1 + shape.exponent));
  const double sum = std::accumulate(p.rbegin(), p.rend(), 0.);  // the small ones first
  for (double& one : p) one /= sum;
  return p;
}

Grammar zipf_grammar(const ZipfShape& shape) {
  const double keys = std::pow(26., double(shape.key));
  if (shape.facts == 0 || double(shape.facts) > keys)
    throw UserError(
        fmt::format("{} facts with keys of {} letters, expected 1 to {:.0f}", shape.facts, shape.key, keys));
  const std::vector<double> p = zipf_probabilities(shape);
  Random random(1);
  std::unordered_set<std::string> taken;
  Grammar grammar;
  Rule story{.name = "story", .is_sentence = true, .place = "zipf", .alternatives = {}};
  for (std::size_t begin = 0, end; begin < p.size(); begin = end) {
    end = std::min(2 * begin + 1, p.size());
    const double sum = std::accumulate(p.begin() + begin, p.begin() + end, 0.);
    const auto index = std::uint32_t(grammar.threads.size());
    Thread facts{.name = fmt::format("facts{}", index), .fields = {"key", "value"}, .place = "zipf", .rows = {}};
    for (std::size_t k = begin; k < end; ++k) {
      std::string key = random_letters(shape.key, random);
      while (!taken.insert(key).second) key = random_letters(shape.key, random);
      facts.rows.push_back({std::log2(p[k] / sum), {{plain(key)}, {plain(random_letters(shape.value, random))}}});
    }
    grammar.threads.push_back(std::move(facts));
    const Symbol key{.kind = Symbol::Kind::thread, .index = index, .field = 0, .text = {}};
    const Symbol value{.kind = Symbol::Kind::thread, .index = index, .field = 1, .text = {}};
    story.alternatives.push_back({std::log2(sum), {key, plain(" "), value}});
  }
  grammar.rules.push_back(std::move(story));
  return grammar;
}

}  // namespace cria
