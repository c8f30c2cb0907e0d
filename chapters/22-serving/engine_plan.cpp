// Chapter 22, the engine: who is in the next pass, with how many positions. schedule.cpp decides; here it gets to know
// how things stand, and who has to wait gives back what it had.
#include <algorithm>

#include "chapters/22-serving/engine_text.hpp"

namespace cria {

TextState Engine::state_of(const Text& text, bool copies) const {
  return {.known = text.known(),
          .computed = cache_.length(*text.place),
          .blocks = cache_.table(*text.place).size(),
          .copies = copies,
          .revived = text.revived};
}

/// The first of those that wait look up what the cache has of them, for as many as there are places.
void Engine::begin_waiting() {
  for (const auto& text : waiting_) {
    if (free_places_.empty()) return;
    text->place = free_places_.back();
    free_places_.pop_back();
    cache_.begin(*text->place, text->continuation.tokens());
    text->revived = size_t(std::ranges::count_if(cache_.table(*text->place),
                                                 [&](BlockId block) { return cache_.pool().users(block) == 1; }));
    // Now, as those behind may take over the same block: then a text would be charged for one that comes later.
    text->copies = cache_.must_copy(*text->place);
  }
}

/// The plan for the next pass; those that it does not admit wait on, without blocks.
Plan Engine::planned(PassRecord& record) {
  const ServingLimits limits{options_.block_size, options_.places, options_.chunk};
  std::vector<TextState> running, waiting;
  for (;;) {
    running.clear(), waiting.clear();
    for (const auto& text : running_) running.push_back(state_of(*text, cache_.must_copy(*text->place)));
    if (record.preempted.empty()) begin_waiting();
    for (const auto& text : waiting_)
      if (text->place) waiting.push_back(state_of(*text, text->copies));
    const Plan plan = next_pass(running, waiting, cache_.pool().unused(), limits);
    for (size_t i = plan.admitted; i < waiting.size(); ++i) {
      leave(*waiting_[i]);
      waiting_[i]->is_gone = false;
    }
    if (!plan.preempt) return plan;
    preempt(record);
  }
}

/// The latest text waits again, with its tokens; its keys and values will be computed once more.
void Engine::preempt(PassRecord& record) {
  std::unique_ptr<Text> text = std::move(running_.back());
  running_.pop_back();
  leave(*text);
  text->is_gone = false;
  record.preempted.push_back(text->id);
  ++figures_.preemptions;
  waiting_.push_front(std::move(text));
}

}  // namespace cria
