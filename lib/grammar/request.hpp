// Requests: what a reader asks of a story, drawn from the story itself, so that the best possible loss is known.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "lib/base/random.hpp"
#include "lib/grammar/generate.hpp"
#include "lib/grammar/slot_probability.hpp"

namespace cria {

struct Request {
  std::string text;
  std::vector<Asked> asked;  // one to four slots, in the text's order
};

/// A request and a story that answers it.
struct RequestedStory {
  Request request;
  Story story;
  /// Of the story, given the request: log2 p(story) - log2 P(slots). No model can do better but by luck.
  double log2_probability = 0;
};

/// The combinations that training leaves out, to see whether a model obeys what it has not met.
enum class Combinations { trained, held_out };

/// Draws requests, in an order that only the random numbers decide. Its state is fixed, so threads may share it.
class RequestSource {
 public:
  static constexpr size_t most_asked = 4;

  /// The grammar must outlive it. Throws UserError when it has no requests, or when SlotProbability refuses it.
  explicit RequestSource(const Grammar& grammar);

  /// A story; one to four of its slots, each number equally likely and each choice of slots; and words for them. What
  /// is asked for says nothing more of the story than the values, which makes its probability exact. Throws UserError
  /// when the grammar has no such combinations.
  RequestedStory draw(Random& random, Combinations combinations) const;

  const Grammar& grammar() const { return grammar_; }

  /// log2 p(story | slots), for a story with this probability that has these values.
  double log2_given(double log2_story, std::span<const Asked> asked) const {
    return log2_story - probability_.log2_of(asked);
  }

  /// What a story has for a slot, as something to ask for.
  Asked value_in(const Story& story, std::uint32_t slot) const;

  /// "Tell a story with a kite, a hero named Ruby and 9 sentences.", in any of the wordings.
  std::string words(std::span<const Asked> asked, Random& random) const;

 private:
  const Grammar& grammar_;
  SlotProbability probability_;
};

/// Whether training leaves this combination out: one in sixteen of all pairs of values, chosen by their names.
bool is_held_out(const Grammar& grammar, std::span<const Asked> asked);

}  // namespace cria
