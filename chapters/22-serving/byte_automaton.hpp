// ByteAutomaton: reads the texts of a ByteGrammar, one table look-up for each byte.
//
// A place in a text is a set of stacks: for each way to have come here, the symbol that is next, and where the rules
// above go on when theirs is done. Such sets become states with a number when a text first meets them (the subset
// construction, done lazily), so a text that is longer does not cost more for each byte.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <deque>
#include <map>
#include <tuple>
#include <vector>

#include "chapters/22-serving/byte_acceptor.hpp"
#include "chapters/22-serving/byte_grammar.hpp"

namespace cria {

class ByteAutomaton {
 public:
  using State = std::uint32_t;
  static constexpr State none = ~State(0);

  /// Of a grammar that check_byte_grammar has seen.
  explicit ByteAutomaton(const ByteGrammar& grammar);

  State start() const { return 0; }
  /// Behind one more byte; none where no text goes on so. Throws UserError where there would be more than 65 536
  /// states, or too many ways in them; what is there stays as it is.
  State next(State state, unsigned char byte) {
    const State known = next_[state][byte];
    return known != unknown ? known : find_next(state, byte);
  }
  bool may_end(State state) const { return states_[state].may_end; }
  bool complete(State state) const { return states_[state].may_end && states_[state].ways.empty(); }
  size_t size() const { return states_.size(); }

 private:
  static constexpr State unknown = none - 1;
  static constexpr size_t most_states = 1 << 16;
  static constexpr size_t most_ways = 1 << 20;        // kept in states and frames, and looked at for the next
  static constexpr size_t most_looked_at = 64 << 20;  // for all states, which bounds the time

  using Place = std::uint32_t;  // index into symbols_
  using Frame = std::uint32_t;  // index into frames_; 0: nothing is above
  /// Where a rule goes on when what it asked for is done.
  struct FrameEntry {
    Place back;
    Frame above;
    std::uint32_t depth;
    auto operator<=>(const FrameEntry&) const = default;
  };
  /// Of a sequence, which is only begun where the levels that it takes at least are left: no text leads nowhere.
  struct Begin {
    Place at;
    std::uint32_t levels;
  };
  struct Way {
    Place at;
    Frame frame;
    auto operator<=>(const Way&) const = default;
  };
  struct Entry {
    std::vector<Way> ways;  // all at bytes, in ascending order
    bool may_end = false;
    bool operator<(const Entry& other) const { return std::tie(may_end, ways) < std::tie(other.may_end, other.ways); }
  };
  struct PlacedSymbol {
    ByteSymbol symbol;
    bool end;  // of the sequence; then there is no symbol
  };

  State find_next(State state, unsigned char byte);
  State add(std::vector<Way> ways);
  Frame frame(FrameEntry entry);

  std::vector<PlacedSymbol> symbols_;            // all sequences, one after the other
  std::vector<std::vector<Begin>> rule_begins_;  // [rule][alternative]
  std::vector<FrameEntry> frames_{{0, 0, 0}};
  std::map<FrameEntry, Frame> frame_index_;
  std::deque<Entry> states_;
  std::map<Entry, State> state_index_;
  std::deque<std::array<State, 256>> next_;
  size_t kept_ = 0, looked_at_ = 0;  // ways
};

/// A text that an automaton reads.
class AutomatonText : public ByteAcceptor {
 public:
  AutomatonText(ByteAutomaton& automaton, ByteAutomaton::State state) : automaton_(automaton), states_{state} {}

  bool push(unsigned char byte) override {
    const ByteAutomaton::State next = automaton_.next(states_.back(), byte);
    if (next != ByteAutomaton::none) states_.push_back(next);
    return next != ByteAutomaton::none;
  }
  void pop() override { states_.pop_back(); }
  bool may_end() override { return automaton_.may_end(states_.back()); }
  ByteAutomaton::State state() const { return states_.back(); }

 private:
  ByteAutomaton& automaton_;
  std::vector<ByteAutomaton::State> states_;  // after each byte
};

}  // namespace cria
