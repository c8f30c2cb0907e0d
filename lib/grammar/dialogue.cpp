#include "lib/grammar/dialogue.hpp"

#include <algorithm>
#include <numeric>

#include "lib/base/check.hpp"

namespace cria {

DialogueSource::DialogueSource(const Grammar& grammar) : requests_(grammar) {
  if (grammar.slots.size() < 2)
    throw UserError("the grammar has one slot, expected another one for the questions of a dialogue");
}

DialogueTurn DialogueSource::draw(Random& random, bool instructed) const {
  DialogueTurn turn;
  turn.story = generate(grammar(), random);
  std::vector<std::uint32_t> slots(grammar().slots.size() - 1);
  std::iota(slots.begin(), slots.end(), 1);
  const size_t count = 1 + random.below(static_cast<std::uint32_t>(std::min(most_asked, slots.size())));
  for (size_t k = 0; k < count; ++k) {
    std::swap(slots[k], slots[k + random.below(static_cast<std::uint32_t>(slots.size() - k))]);
    turn.question.asked.push_back(requests_.value_in(turn.story, slots[k]));
  }
  turn.question.text = requests_.words(turn.question.asked, random);
  std::vector<Asked> all = turn.question.asked;
  if (instructed) {
    const std::vector<Asked> first = {requests_.value_in(turn.story, 0)};
    turn.instruction = {requests_.words(first, random), first};
    all.push_back(first.front());
  }
  turn.log2_probability = requests_.log2_given(turn.story.log2_probability, all);
  return turn;
}

}  // namespace cria
