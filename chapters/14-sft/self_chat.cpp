// Chapter 14, a model that talks to itself.
#include "chapters/14-sft/self_chat.hpp"

#include <algorithm>

#include "chapters/14-sft/ghost_attention.hpp"

namespace cria {
namespace {

struct Dialogue {
  std::vector<std::string> questions, answers;
  bool ended = false;
};

std::string trimmed(const std::string& text) {
  constexpr const char* blanks = " \t\r\n";
  const size_t begin = text.find_first_not_of(blanks);
  return begin == text.npos ? "" : text.substr(begin, text.find_last_not_of(blanks) + 1 - begin);
}

/// Asks for a text of each dialogue that goes on, and hands it over; an empty one ends its dialogue.
void write_next(std::vector<Dialogue>& dialogues, const WriteTexts& write, std::span<const std::string> stops,
                const std::function<TextPrompt(const Dialogue&)>& prompt,
                const std::function<void(Dialogue&, std::string)>& take) {
  std::vector<TextPrompt> prompts;
  std::vector<Dialogue*> asked;
  for (Dialogue& dialogue : dialogues)
    if (!dialogue.ended) prompts.push_back(prompt(dialogue)), asked.push_back(&dialogue);
  const std::vector<std::string> texts = write(prompts, stops);
  for (size_t i = 0; i < asked.size(); ++i) {
    std::string text = trimmed(texts[i]);
    if (text.empty())
      asked[i]->ended = true;
    else
      take(*asked[i], std::move(text));
  }
}

TextPrompt answer_prompt(const Dialogue& dialogue, const std::string& instruction) {
  if (!instruction.empty()) return {reminded_prompt(instruction, dialogue.questions, dialogue.answers)};
  std::vector<Message> messages;
  for (size_t i = 0; i < dialogue.questions.size(); ++i) {
    messages.push_back({"user", dialogue.questions[i]});
    if (i < dialogue.answers.size()) messages.push_back({"assistant", dialogue.answers[i]});
  }
  return {messages};
}

Conversation whole(const Dialogue& dialogue, const std::string& instruction) {
  const size_t turns = dialogue.answers.size();
  const std::span<const std::string> questions = std::span(dialogue.questions).first(turns);
  Conversation all;
  if (!instruction.empty()) return ghost_conversation(instruction, questions, dialogue.answers);
  for (size_t i = 0; i < turns; ++i) {
    all.messages.push_back({"user", questions[i]});
    all.messages.push_back({"assistant", dialogue.answers[i]});
    all.learned.insert(all.learned.end(), {false, true});
  }
  return all;
}

}  // namespace

TextPrompt question_prompt(std::span<const std::string> questions, std::span<const std::string> answers) {
  std::string transcript;
  // solution: transcript
  for (size_t i = 0; i < questions.size(); ++i)
    transcript += human_mark + " " + questions[i] + "\n" + ai_mark + " " + answers[i] + "\n";
  transcript += human_mark;
  // end of solution
  return {{{"user", "Write a conversation between a human and an AI assistant. What the human says begins with " +
                        human_mark + ", what the assistant says with " + ai_mark +
                        ". The human asks related questions, each of them new, and about what was said before."}},
          transcript};
}

std::vector<Conversation> self_chat(std::span<const std::string> seeds, const SelfChatOptions& options,
                                    const WriteTexts& write) {
  std::vector<Dialogue> dialogues;
  for (const std::string& seed : seeds) dialogues.push_back({{seed}, {}});
  const std::vector<std::string> marks = {human_mark, ai_mark};
  for (size_t turn = 0; turn < options.turns; ++turn) {
    if (turn > 0)
      write_next(
          dialogues, write, marks, [](const Dialogue& d) { return question_prompt(d.questions, d.answers); },
          [](Dialogue& d, std::string text) {
            d.ended = std::ranges::count(d.questions, text) > 0;
            if (!d.ended) d.questions.push_back(std::move(text));
          });
    write_next(
        dialogues, write, {}, [&](const Dialogue& d) { return answer_prompt(d, options.instruction); },
        [](Dialogue& d, std::string text) { d.answers.push_back(std::move(text)); });
  }
  std::vector<Conversation> conversations;
  for (const Dialogue& dialogue : dialogues)
    if (!dialogue.answers.empty()) conversations.push_back(whole(dialogue, options.instruction));
  return conversations;
}

}  // namespace cria
