// Chapter 14, dialogues under an instruction.
#include "chapters/14-sft/obedience.hpp"

#include "chapters/14-sft/ghost_attention.hpp"
#include "lib/grammar/judge_answer.hpp"

namespace cria {
namespace {

struct StoryDialogue {
  Request instruction;
  std::vector<Request> questions;
  std::vector<std::string> asked, answers;
};

StoryDialogue begin_dialogue(const DialogueSource& source, size_t turns, Random& random) {
  StoryDialogue dialogue;
  for (size_t t = 0; t < turns; ++t) {
    DialogueTurn turn = source.draw(random, t == 0);
    if (turn.instruction) dialogue.instruction = std::move(*turn.instruction);
    dialogue.questions.push_back(std::move(turn.question));
  }
  return dialogue;
}

TextPrompt next_prompt(const StoryDialogue& dialogue, bool reminded) {
  const std::string& instruction = dialogue.instruction.text;
  if (reminded) return {reminded_prompt(instruction, dialogue.asked, dialogue.answers)};
  std::vector<std::string> answers = dialogue.answers;
  answers.emplace_back();  // the one to come
  std::vector<Message> messages = ghost_conversation(instruction, dialogue.asked, answers).messages;
  messages.pop_back();
  return {std::move(messages)};
}

}  // namespace

std::vector<TurnObedience> measure_obedience(const DialogueSource& source, const ObedienceOptions& options,
                                             const WriteTexts& write) {
  const Parser parser(source.grammar());
  Random random(options.seed);
  std::vector<StoryDialogue> dialogues;
  for (size_t i = 0; i < options.dialogues; ++i) dialogues.push_back(begin_dialogue(source, options.turns, random));
  std::vector<TurnObedience> obedience(options.turns);
  for (size_t t = 0; t < options.turns; ++t) {
    std::vector<TextPrompt> prompts;
    for (StoryDialogue& dialogue : dialogues) {
      dialogue.asked.push_back(dialogue.questions[t].text);
      prompts.push_back(next_prompt(dialogue, options.reminded));
    }
    std::vector<std::string> answers = write(prompts, {});
    for (size_t i = 0; i < dialogues.size(); ++i) {
      const auto judged = [&](const Request& request) { return judge_answer(parser, request.asked, answers[i]); };
      const AnswerJudgement instruction = judged(dialogues[i].instruction);
      obedience[t].stories += instruction.parses;
      obedience[t].instruction += instruction.all();
      obedience[t].question += judged(dialogues[i].questions[t]).all();
      dialogues[i].answers.push_back(std::move(answers[i]));
    }
  }
  return obedience;
}

}  // namespace cria
