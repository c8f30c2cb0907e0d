// Chapter 14, conversations as tokens.
#include "chapters/14-sft/instruction_encoder.hpp"

#include <algorithm>

#include "chapters/12-open-weights/chat_format.hpp"
#include "chapters/12-open-weights/model_template.hpp"
#include "lib/base/check.hpp"

namespace cria {
namespace {

/// The special token that the template writes after an answer; nothing where it writes none, or refuses a conversation
/// that ends with one.
std::optional<TokenId> end_of_answer(const ChatTemplate& chat, const Tokenizer& tokenizer) {
  const std::vector<Message> question = {{"user", "a"}}, answered = {{"user", "a"}, {"assistant", "b"}};
  try {
    const std::vector<TokenId> prompt = chat.encode(question, {}, tokenizer);
    const std::vector<TokenId> whole = chat.encode(answered, {false, {}, {}}, tokenizer);
    const auto same = std::ranges::mismatch(prompt, whole).in2;
    const auto end = std::find_if(same, whole.end(), [&](TokenId id) { return tokenizer.is_special(id); });
    if (end != whole.end()) return *end;
  } catch (const UserError&) {
  }
  return std::nullopt;
}

}  // namespace

ChatTemplateSource instruction_format(const std::filesystem::path& path, const ModelView& model,
                                      const std::string& otherwise) {
  if (auto own = find_chat_template(path, model)) return *own;
  return usual_template(otherwise.empty() ? find_chat_format("alpaca")->source : otherwise, model);
}

InstructionEncoder::InstructionEncoder(ChatTemplateSource source, const Tokenizer& tokenizer,
                                       std::optional<TokenId> end)
    : source_(std::move(source)), template_(source_), tokenizer_(tokenizer) {
  if (const auto written = end_of_answer(template_, tokenizer)) end = written;
  if (!end)
    throw UserError("the model has no token that ends an answer, expected one in its chat template or config.json");
  end_ = *end;
}

std::vector<TokenId> InstructionEncoder::prompt(std::span<const Message> messages) const {
  return template_.encode(messages, {}, tokenizer_);
}

std::vector<TokenId> InstructionEncoder::answer(const std::string& text) const {
  std::vector<TokenId> tokens = tokenizer_.encode(text);
  tokens.push_back(end_);
  return tokens;
}

Document InstructionEncoder::operator()(std::span<const Message> messages) const {
  const std::string& answer = messages.back().content;
  // solution: encode_instruction
  return answer_document(prompt(messages.first(messages.size() - 1)), tokenizer_.encode(answer), end_,
                         answer.size() + 1);
  // end of solution
}

InstructionEncoder open_encoder(const std::filesystem::path& path, const ModelView& model,
                                std::span<const TokenId> ends, const std::string& otherwise) {
  return InstructionEncoder(instruction_format(path, model, otherwise), *model.tokenizer,
                            ends.empty() ? std::nullopt : std::optional(ends.front()));
}

}  // namespace cria
