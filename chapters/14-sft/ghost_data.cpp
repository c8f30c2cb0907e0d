// Chapter 14, Ghost attention's data.
#include "chapters/14-sft/ghost_data.hpp"

#include <fmt/format.h>

#include "chapters/14-sft/ghost_attention.hpp"
#include "lib/base/check.hpp"
#include "lib/base/random.hpp"

namespace cria {
namespace {

struct Turns {
  std::vector<std::string> questions, answers;
};

Turns turns_of(const Instruction& dialogue) {
  Turns turns;
  for (const Message& message : dialogue.messages) {
    const bool question = turns.questions.size() == turns.answers.size();
    if (message.role != (question ? "user" : "assistant"))
      throw UserError(
          fmt::format("{}: has a message of the {}'s, expected a question or an answer in turn: instructions are "
                      "joined to questions",
                      dialogue.place, message.role));
    (question ? turns.questions : turns.answers).push_back(message.content);
  }
  return turns;
}

}  // namespace

std::vector<Conversation> ghost_data(std::span<const Instruction> dialogues, std::span<const std::string> instructions,
                                     std::uint64_t seed, const WriteTexts& write) {
  require(!instructions.empty(), "ghost_data", "needs an instruction");
  Random random(seed);
  std::vector<Turns> all;
  std::vector<std::string> drawn;
  std::vector<TextPrompt> prompts;
  for (const Instruction& dialogue : dialogues) {
    all.push_back(turns_of(dialogue));
    all.back().answers.pop_back();
    drawn.push_back(instructions[random.below(static_cast<std::uint32_t>(instructions.size()))]);
    prompts.push_back({reminded_prompt(drawn.back(), all.back().questions, all.back().answers)});
  }
  const std::vector<std::string> texts = write(prompts, {});
  std::vector<Conversation> ghosts;
  for (size_t i = 0; i < all.size(); ++i) {
    if (texts[i].empty()) continue;
    all[i].answers.push_back(texts[i]);
    ghosts.push_back(ghost_conversation(drawn[i], all[i].questions, all[i].answers));
  }
  return ghosts;
}

}  // namespace cria
