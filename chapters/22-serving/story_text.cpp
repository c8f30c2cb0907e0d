#include "chapters/22-serving/story_text.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include "lib/base/check.hpp"

namespace cria {

StoryText::StoryText(const Grammar& grammar) : grammar_(grammar), places_(1) {
  for (const Alternative& alternative : grammar.rules[grammar.start].alternatives)
    places_[0].ways.push_back(
        {.sequence = &alternative.sequence, .rows = std::make_shared<DrawnRows>(grammar.threads.size())});
}

bool StoryText::push(unsigned char byte) {
  opened();
  if (places_.size() == depth_ + 1) places_.emplace_back();
  Place& now = places_[depth_];
  Place& next = places_[depth_ + 1];
  next.ways.clear();
  next.opened = next.may_end = false;
  // solution: push_byte
  for (const Way& way : now.ways) {
    if (byte_of(way) != byte) continue;
    Way& on = next.ways.emplace_back(way);
    if (on.blank) {
      on.blank = false;
      continue;
    }
    on.capital = false;
    if (++on.byte == (*on.sequence)[on.next].text.size()) on.byte = 0, ++on.next;
  }
  // end of solution
  if (next.ways.empty()) return false;
  ++depth_;
  return true;
}

void StoryText::keep() {
  if (depth_ == 0) return;
  std::swap(places_[0], places_[depth_]);
  depth_ = 0;
  begun_ = true;
}

unsigned char StoryText::byte_of(const Way& way) {
  if (way.blank) return ' ';
  const char c = (*way.sequence)[way.next].text[way.byte];
  return static_cast<unsigned char>(way.capital && c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
}

bool StoryText::before(const Way& a, const Way& b) {
  const auto key = [](const Way& way) {
    return std::tuple(way.sequence, way.next, way.byte, way.above.get(), way.capital, way.blank);
  };
  if (key(a) != key(b)) return key(a) < key(b);
  return a.rows != b.rows && *a.rows < *b.rows;
}

StoryText::Place& StoryText::opened() {
  Place& place = places_[depth_];
  if (place.opened) return place;
  std::vector<Way> ways = std::move(place.ways);
  place.ways.clear();
  place.opened = true;
  std::ranges::sort(ways, before);
  ways.erase(std::unique(ways.begin(), ways.end(), same), ways.end());
  open(std::move(ways), place);
  return place;
}

/// Goes on to all texts that can come next.
void StoryText::open(std::vector<Way> ways, Place& place) {
  constexpr size_t most_ways = 100'000;
  const bool begun = begun_ || depth_ > 0;
  std::set<Way, decltype(&before)> seen(&before);  // ways that have come together again
  while (!ways.empty()) {
    Way way = std::move(ways.back());
    ways.pop_back();
    if (way.next == way.sequence->size()) {
      if (!way.above) {
        place.may_end = true;
        continue;
      }
      const std::shared_ptr<const Frame> back = way.above;
      way.sequence = back->sequence, way.next = back->next, way.above = back->above;
      if (seen.insert(way).second) ways.push_back(std::move(way));
      continue;
    }
    const Symbol& symbol = (*way.sequence)[way.next];
    way.capital = way.capital || symbol.capital;
    if (symbol.kind == Symbol::Kind::text) {
      if (symbol.text.empty())
        ++way.next, ways.push_back(std::move(way));
      else
        place.ways.push_back(std::move(way));
      if (place.ways.size() > most_ways)
        throw UserError("the grammar is too ambiguous: a story could have come about in more than " +
                        std::to_string(most_ways) + " ways");
      continue;
    }
    Way inside = way;
    if (way.next + 1 < way.sequence->size())
      inside.above = std::make_shared<Frame>(Frame{way.sequence, way.next + 1, way.above});
    const auto go_into = [&](const Sequence& sequence) {
      inside.sequence = &sequence, inside.next = 0;
      ways.push_back(inside);
    };
    if (symbol.kind == Symbol::Kind::rule) {
      const Rule& rule = grammar_.rules[symbol.index];
      inside.blank = inside.blank || (rule.is_sentence && begun);
      for (const Alternative& alternative : rule.alternatives) go_into(alternative.sequence);
      continue;
    }
    // solution: recall_row
    const Thread& thread = grammar_.threads[symbol.index];
    if (const Row* row = (*way.rows)[symbol.index]) {
      go_into(row->fields[symbol.field]);
      continue;
    }
    for (const Row& row : thread.rows) {
      DrawnRows rows = *way.rows;
      rows[symbol.index] = &row;
      inside.rows = std::make_shared<DrawnRows>(std::move(rows));
      go_into(row.fields[symbol.field]);
    }
    // end of solution
  }
}

}  // namespace cria
