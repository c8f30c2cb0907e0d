#include "chapters/17-rejection-sampling/judged_prompts.hpp"

namespace cria {

JudgedPrompts story_prompts(std::shared_ptr<const StoryRequests> requests, const InstructionEncoder& encoder) {
  return {[=, &encoder](std::uint64_t i) { return encoder.prompt(as_question(requests->at(i).request)); },
          [=](std::uint64_t i, std::string_view answer) {
            return requests->judge(requests->at(i).request, answer).all() ? 1.0 : 0.0;
          },
          StoryRequests::fingerprint()};
}

}  // namespace cria
