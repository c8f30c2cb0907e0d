#include "chapters/12-open-weights/chat_template.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "chapters/12-open-weights/hidden_text.hpp"

namespace cria {
namespace {

/// Appends the ids of a part without special tokens, in which each text that the template cuts off begins anew. What is
/// hidden in it is revealed now, and encoded as plain text.
void encode_plain(std::string_view part, const HiddenText& hidden, const Tokenizer& tokenizer,
                  std::vector<TokenId>& ids) {
  for (size_t end; !part.empty(); part.remove_prefix(std::min(end + hidden.cut().size(), part.size()))) {
    end = std::min(part.find(hidden.cut()), part.size());
    tokenizer.encode(hidden.reveal(part.substr(0, end)), SpecialText::plain, ids);
  }
}

}  // namespace

ChatTemplate::ChatTemplate(ChatTemplateSource source) : source_(std::move(source)), template_(source_.text) {}

std::string ChatTemplate::render(std::span<const Message> messages, const Options& options) const {
  return render(messages, options, "");
}

std::string ChatTemplate::render(std::span<const Message> messages, const Options& options,
                                 const std::string& cut) const {
  using Json = nlohmann::ordered_json;
  Json list = Json::array();
  for (const Message& message : messages) list.push_back({{"role", message.role}, {"content", message.content}});
  // As transformers calls it; without tools, a template finds none rather than nothing.
  Json variables{{"messages", std::move(list)},
                 {"bos_token", source_.begin_token},
                 {"eos_token", source_.end_token},
                 {"add_generation_prompt", options.asks},
                 {"tools", nullptr},
                 {"documents", nullptr},
                 {"cut", cut}};
  if (options.date) variables["date_string"] = *options.date;
  return template_.render(variables, options.now);
}

std::vector<TokenId> ChatTemplate::encode(std::span<const Message> messages, const Options& options,
                                          const Tokenizer& tokenizer) const {
  std::vector<std::string_view> texts{source_.text};
  for (const Message& message : messages) texts.push_back(message.content);
  HiddenText hidden(texts);
  // solution: encode_conversation
  std::vector<Message> safe(messages.begin(), messages.end());
  for (Message& message : safe) message.content = hidden.hide(message.content, tokenizer.special_tokens());
  std::vector<TokenId> ids;
  tokenizer.special_tokens().for_each_part(
      render(safe, options, hidden.cut()), [&](std::string_view plain) { encode_plain(plain, hidden, tokenizer, ids); },
      [&](std::string_view token) { ids.push_back(*tokenizer.special_id(token)); });
  if (source_.begin && (ids.empty() || ids.front() != *source_.begin)) ids.insert(ids.begin(), *source_.begin);
  return ids;
  // end of solution
}

}  // namespace cria
