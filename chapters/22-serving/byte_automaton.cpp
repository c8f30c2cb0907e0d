#include "chapters/22-serving/byte_automaton.hpp"

#include <algorithm>
#include <set>

#include "lib/base/check.hpp"

namespace cria {

ByteAutomaton::ByteAutomaton(const ByteGrammar& grammar) {
  const std::vector<std::uint32_t> levels = least_levels(grammar);
  for (const auto& alternatives : grammar.rules) {
    std::vector<Begin>& begins = rule_begins_.emplace_back();
    for (const ByteSequence& sequence : alternatives) {
      begins.push_back({static_cast<Place>(symbols_.size()), levels_of(sequence, levels)});
      for (const ByteSymbol& symbol : sequence) symbols_.push_back({symbol, false});
      symbols_.push_back({{}, true});
    }
  }
  std::vector<Way> ways;
  for (const Begin& begin : rule_begins_[grammar.start])
    if (begin.levels <= deepest_text) ways.push_back({begin.at, 0});
  add(std::move(ways));
}

ByteAutomaton::State ByteAutomaton::find_next(State state, unsigned char byte) {
  std::vector<Way> ways;
  for (const Way& way : states_[state].ways)
    if (symbols_[way.at].symbol.bytes[byte]) ways.push_back({way.at + 1, way.frame});
  const State next = ways.empty() ? none : add(std::move(ways));
  return next_[state][byte] = next;
}

/// Goes on from these ways to all bytes that can come next, and finds the state of that.
ByteAutomaton::State ByteAutomaton::add(std::vector<Way> ways) {
  Entry entry;
  std::set<Way> seen;
  while (!ways.empty()) {
    const Way way = ways.back();
    ways.pop_back();
    if (!seen.insert(way).second) continue;
    if (++looked_at_ > most_looked_at || kept_ + frames_.size() + seen.size() > most_ways)
      throw UserError("the constraint leaves too many ways to read a text");
    const PlacedSymbol& next = symbols_[way.at];
    if (next.end) {
      if (way.frame == 0)
        entry.may_end = true;
      else
        ways.push_back({frames_[way.frame].back, frames_[way.frame].above});
    } else if (next.symbol.rule == ByteSymbol::none) {
      entry.ways.push_back(way);
    } else {
      // A rule that is the last of its sequence needs nobody to come back to: lists do not make stacks grow.
      const bool last = symbols_[way.at + 1].end && !next.symbol.nests;
      const std::uint32_t depth = frames_[way.frame].depth + next.symbol.nests;
      const Frame above = last ? way.frame : frame({way.at + 1, way.frame, depth});
      for (const Begin& begin : rule_begins_[next.symbol.rule])
        if (depth + begin.levels <= deepest_text) ways.push_back({begin.at, above});
    }
  }
  std::ranges::sort(entry.ways);
  const auto known = state_index_.find(entry);
  if (known != state_index_.end()) return known->second;
  if (states_.size() == most_states)
    throw UserError("the constraint has more than " + std::to_string(most_states) + " states, too many to keep");
  const State state = static_cast<State>(states_.size());
  kept_ += entry.ways.size();
  states_.push_back(entry);
  next_.emplace_back().fill(unknown);
  state_index_.emplace(std::move(entry), state);  // last: other texts go on after an exception
  return state;
}

ByteAutomaton::Frame ByteAutomaton::frame(FrameEntry entry) {
  const auto [known, is_new] = frame_index_.try_emplace(entry, static_cast<Frame>(frames_.size()));
  if (is_new) frames_.push_back(entry);
  return known->second;
}

}  // namespace cria
