#include "chapters/12-open-weights/chat.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "chapters/09-sampling/stop_strings.hpp"
#include "lib/base/check.hpp"

namespace cria {

Chat::Chat(const ModelView& model, ChatTemplate chat_template, ChatSettings settings)
    : model_(model),
      template_(std::move(chat_template)),
      settings_(std::move(settings)),
      decoder_(model.weights, settings_.context, default_chunk, settings_.threads, settings_.cache_type) {}

ChatAnswer Chat::ask(const std::string& question, const Show& show, const std::atomic<bool>* stop) {
  const size_t count = messages_.size(), first = first_;
  messages_.push_back({"user", question});
  try {
    ChatAnswer answer = write_answer(show, stop);
    answer.forgotten = first_ - first;
    if (answer.tokens == 0)
      messages_.pop_back();  // stopped before it began: as if it had not been asked
    else
      messages_.push_back({"assistant", answer.text});
    return answer;
  } catch (...) {
    messages_.resize(count);
    first_ = first;
    throw;
  }
}

ChatAnswer Chat::write_answer(const Show& show, const std::atomic<bool>* stop) {
  ChatAnswer answer;
  StopStrings characters;  // keeps them whole
  const bool drops_blank = model_.tokenizer->model().sentencepiece.has_value();
  const auto take = [&](std::string_view part) {
    if (drops_blank && answer.text.empty() && part.starts_with(' ')) part.remove_prefix(1);
    answer.text += part;
    show(part);
  };
  std::vector<TokenId> said;
  for (bool ended = false; !ended && !answer.cut;) {
    std::vector<TokenId> prompt = fitting_prompt(said);
    keep_common_prefix(prompt);
    if (said.empty()) answer.prompt_tokens = prompt.size();
    answer.read_tokens += prompt.size() - read_.size();
    GenerationOptions options = settings_.generation;
    options.stop = stop;
    options.tokens = std::min(options.tokens - said.size(), settings_.context - prompt.size());
    options.sampling.seed += messages_.size() + said.size();
    const GenerationResult result = generate_text(decoder_, *model_.tokenizer, prompt, settings_.ends, options,
                                                  [&](std::string_view part) { take(characters.push(part)); });
    said.insert(said.end(), result.tokens.begin(), result.tokens.end());
    read_ = std::move(prompt);
    read_.insert(read_.end(), result.tokens.begin(), result.tokens.end());
    read_.resize(decoder_.length());
    ended = result.ended || said.size() == settings_.generation.tokens || (stop && *stop);
    answer.cut = !ended && !forget_oldest();
  }
  take(characters.finish());
  answer.tokens = said.size();
  return answer;
}

/// The ids of what is in the context, up to where an answer begins.
std::vector<TokenId> Chat::encode() const {
  const size_t fixed = has_system();
  std::vector<Message> shown(messages_.begin(), messages_.begin() + std::ptrdiff_t(fixed));
  shown.insert(shown.end(), messages_.begin() + std::ptrdiff_t(fixed + first_), messages_.end());
  std::vector<TokenId> ids = template_.encode(shown, {true, {}, settings_.now}, *model_.tokenizer);
  if (ids.empty()) throw UserError("the chat template makes no text of this conversation");
  return ids;
}

/// Lets the oldest question and its answer leave the context; false where the last question is all there is.
bool Chat::forget_oldest() {
  const auto oldest = messages_.begin() + std::ptrdiff_t(has_system() + first_);
  if (oldest == messages_.end()) return false;
  const auto next = std::find_if(oldest + 1, messages_.end(), [](const Message& m) { return m.role == "user"; });
  if (next == messages_.end()) return false;
  first_ += size_t(next - oldest);
  return true;
}

/// The conversation and the beginning of its answer, after so much was forgotten that a quarter of the context, or a
/// whole answer, has room behind it: so the rest is not read anew for every few tokens.
std::vector<TokenId> Chat::fitting_prompt(std::span<const TokenId> answer) {
  const size_t context = settings_.context;
  const size_t room = std::min(settings_.generation.tokens - answer.size(), context / 4);
  for (;;) {
    std::vector<TokenId> prompt = encode();
    prompt.insert(prompt.end(), answer.begin(), answer.end());
    if (prompt.size() + room <= context) return prompt;
    if (forget_oldest()) continue;
    if (prompt.size() < context) return prompt;
    throw UserError(
        fmt::format("this takes {} tokens, more than the context of {} has room for", prompt.size(), context));
  }
}

/// Leaves in the decoder what the prompt begins with, all but its last token at most, which has to be read for the
/// first of the answer.
void Chat::keep_common_prefix(std::span<const TokenId> prompt) {
  // solution: keep_common_prefix
  const auto same = std::ranges::mismatch(read_, prompt.first(prompt.size() - 1)).in1;
  read_.erase(same, read_.end());
  decoder_.truncate(read_.size());
  // end of solution
}

void Chat::set_messages(std::vector<Message> messages) {
  messages_.swap(messages);
  const size_t first_before = std::exchange(first_, 0);
  messages_.push_back({"user", ""});  // what is asked next
  try {
    encode();
  } catch (...) {
    messages_.swap(messages);
    first_ = first_before;
    throw;
  }
  messages_.pop_back();
}

void Chat::set_system(const std::string& text) {
  if (has_system()) messages_.erase(messages_.begin());
  if (!text.empty()) messages_.insert(messages_.begin(), {"system", text});
}

void Chat::reset() {
  messages_.resize(has_system());
  first_ = 0;
}

}  // namespace cria
