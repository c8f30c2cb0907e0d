// Dialogues of requests: questions, and an instruction that is to hold for more than one of them.
#pragma once

#include <optional>

#include "lib/grammar/request.hpp"

namespace cria {

/// A question of a dialogue, with a story that answers it.
struct DialogueTurn {
  std::optional<Request> instruction;  // what the story obeys besides
  Request question;
  Story story;
  double log2_probability = 0;  // of the story, given what was asked in this turn
};

/// The grammar's first slot is what instructions ask for, and questions ask for the others; so none contradicts an
/// instruction. Its state is fixed, so threads may share it.
class DialogueSource {
 public:
  static constexpr size_t most_asked = 2;  // by a question

  /// The grammar must outlive it. Throws UserError when it has no two slots, or when SlotProbability refuses it.
  explicit DialogueSource(const Grammar& grammar);

  /// A story by itself, and one or two of its slots, each number equally likely. `instructed`: its first slot too.
  DialogueTurn draw(Random& random, bool instructed) const;

  const Grammar& grammar() const { return requests_.grammar(); }

 private:
  RequestSource requests_;
};

}  // namespace cria
