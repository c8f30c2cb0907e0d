// cria instructions self-chat: a model talks to itself, for a file of conversations to learn from.
#include "app/texts/self_chat.hpp"

#include <fmt/format.h>

#include <sstream>

#include "app/command_name.hpp"
#include "chapters/14-sft/self_chat.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"

namespace cria {

std::vector<std::string> read_lines_of(const std::string& file, const std::string& what) {
  std::vector<std::string> read;
  std::istringstream lines(read_file(file));
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (line.find_first_not_of(" \t") != line.npos) read.push_back(line);
  }
  if (read.empty()) throw UserError(fmt::format("{} has no {}, expected one a line", file, what));
  return read;
}

void write_answered(const std::string& model, const std::string& out, std::span<const Conversation> conversations) {
  write_conversations(out, conversations);
  size_t answers = 0;
  for (const Conversation& one : conversations) answers += one.messages.size() / 2;
  fmt::print("{}: {} conversations with {} answers. Try: {} finetune {} --data {}\n", out, conversations.size(),
             answers, command_name(), quoted_for_shell(model), quoted_for_shell(out));
}

int run_self_chat(const SelfChatCommand& options) {
  if (options.turns == 0) throw UserError("--turns is 0, expected more");
  const std::vector<std::string> questions = read_lines_of(options.questions, "questions");
  ModelWriter write(options.writer, questions.size());
  const std::vector<Conversation> conversations =
      self_chat(questions, {options.turns, options.instruction}, std::ref(write));
  if (conversations.empty()) throw UserError(write.path().string() + " answered none of the questions");
  write_answered(options.writer.model, options.out, conversations);
  return 0;
}

}  // namespace cria
