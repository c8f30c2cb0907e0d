// Chapter 14, reading conversations.
#include "chapters/14-sft/instruction_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lib/base/check.hpp"
#include "lib/formats/json.hpp"

namespace cria {
namespace {

using Json = nlohmann::json;

constexpr const char* white_space = " \t\r\n";

class InstructionReader {
 public:
  explicit InstructionReader(std::string name) : name_(std::move(name)) {}

  std::vector<Instruction> read(std::string_view text) {
    if (text.find_first_not_of(white_space) == text.npos) throw UserError(name_ + " is empty, expected examples");
    if (text[text.find_first_not_of(white_space)] == '[')
      for (const Json& item : parse_json(text, name_)) add(item);
    else
      read_lines(text);
    return std::move(instructions_);
  }

 private:
  void read_lines(std::string_view text) {
    size_t number = 1;
    for (size_t begin = 0; begin < text.size(); ++number) {
      const size_t end = std::min(text.find('\n', begin), text.size());
      const std::string_view line = text.substr(begin, end - begin);
      if (line.find_first_not_of(white_space) != line.npos)
        add(parse_json(line, fmt::format("{}, line {}", name_, number)));
      begin = end + 1;
    }
  }

  void add(const Json& item) {
    place_ = fmt::format("{}, example {}", name_, ++count_);
    if (!item.is_object()) fail("is " + shown_json(item) + ", expected an object");
    if (item.contains("messages"))
      add_answers(messages_from_json(item["messages"], place_));
    else if (item.contains("instruction"))
      add_answers(
          {{"user", alpaca_question(text(item, "instruction"), item.contains("input") ? text(item, "input") : "")},
           {"assistant", text(item, "output")}});
    else
      fail("has neither \"messages\" nor \"instruction\" and \"output\"");
  }

  /// One example for each answer, with all that stands before it.
  void add_answers(const std::vector<Message>& messages) {
    const size_t before = instructions_.size();
    for (size_t i = 0; i < messages.size(); ++i) {
      if (messages[i].role != "assistant") continue;
      if (i == 0 || messages[i - 1].role != "user") fail("has an answer that follows no question");
      if (messages[i].content.find_first_not_of(white_space) == std::string::npos) fail("has an empty answer");
      instructions_.push_back({{messages.begin(), messages.begin() + std::ptrdiff_t(i + 1)}, place_});
    }
    if (instructions_.size() == before) fail("has no answer to learn");
  }

  std::string text(const Json& item, const char* key) const {
    if (!item.contains(key)) fail(fmt::format("lacks \"{}\"", key));
    if (!item[key].is_string()) fail(fmt::format("\"{}\" is {}, expected a text", key, shown_json(item[key])));
    return item[key];
  }

  [[noreturn]] void fail(const std::string& message) const { throw UserError(fmt::format("{}: {}", place_, message)); }

  std::string name_, place_;
  size_t count_ = 0;
  std::vector<Instruction> instructions_;
};

}  // namespace

std::string alpaca_question(const std::string& instruction, const std::string& input) {
  return input.empty() ? instruction : instruction + "\n\n### Input:\n" + input;
}

std::vector<Instruction> read_instructions(const Data& data) {
  std::vector<Instruction> all;
  for (size_t i = 0; i < data.files.size(); ++i) {
    const std::string name = data.files.size() == 1 ? data.name : fmt::format("{}, file {}", data.name, i + 1);
    for (Instruction& one : InstructionReader(name).read(data.files[i].text())) all.push_back(std::move(one));
  }
  return all;
}

}  // namespace cria
