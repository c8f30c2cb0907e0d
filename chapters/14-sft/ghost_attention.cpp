// Chapter 14, Ghost attention.
#include "chapters/14-sft/ghost_attention.hpp"

#include "lib/base/check.hpp"

namespace cria {
namespace {

std::string joined(const std::string& instruction, const std::string& question) {
  return instruction + "\n" + question;
}

}  // namespace

std::vector<Message> reminded_prompt(const std::string& instruction, std::span<const std::string> questions,
                                     std::span<const std::string> answers) {
  require(questions.size() == answers.size() + 1, "reminded_prompt", "needs one question more than answers");
  std::vector<Message> messages;
  // solution: reminded_prompt
  for (size_t i = 0; i < questions.size(); ++i) {
    messages.push_back({"user", joined(instruction, questions[i])});
    if (i < answers.size()) messages.push_back({"assistant", answers[i]});
  }
  // end of solution
  return messages;
}

Conversation ghost_conversation(const std::string& instruction, std::span<const std::string> questions,
                                std::span<const std::string> answers) {
  require(!questions.empty() && questions.size() == answers.size(), "ghost_conversation",
          "needs an answer to each question");
  Conversation ghost;
  // solution: ghost_conversation
  for (size_t i = 0; i < questions.size(); ++i) {
    ghost.messages.push_back({"user", i == 0 ? joined(instruction, questions[i]) : questions[i]});
    ghost.messages.push_back({"assistant", answers[i]});
    ghost.learned.insert(ghost.learned.end(), {false, i + 1 == questions.size()});
  }
  // end of solution
  return ghost;
}

}  // namespace cria
