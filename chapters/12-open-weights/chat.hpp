// A conversation with a model: its messages, what of them the model still has in its context, and the cache that keeps
// what it has read from turn to turn.
#pragma once

#include <atomic>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chapters/09-sampling/generate.hpp"
#include "chapters/12-open-weights/chat_message.hpp"
#include "chapters/12-open-weights/chat_template.hpp"
#include "chapters/12-open-weights/packed_model.hpp"

namespace cria {

struct ChatSettings {
  GenerationOptions generation;  ///< tokens: of one answer, at most. Every answer has a seed of its own
  std::vector<TokenId> ends;     ///< of an answer
  size_t context = 4096;         ///< tokens that the model is to remember
  std::optional<std::tm> now;    ///< for templates that tell the date
  size_t threads = 1;
  CacheType cache_type = CacheType::f32;
};

struct ChatAnswer {
  std::string text;
  size_t prompt_tokens = 0;  ///< of the conversation so far
  size_t read_tokens = 0;    ///< of these, those that the model had not read before
  size_t tokens = 0;         ///< of the answer
  size_t forgotten = 0;      ///< messages that had to leave the context for it, the oldest
  bool cut = false;          ///< the context is full, and holds nothing that could leave it
};

class Chat {
 public:
  /// The model must outlive it, and have a tokenizer.
  Chat(const ModelView& model, ChatTemplate chat_template, ChatSettings settings);

  using Show = std::function<void(std::string_view)>;

  /// Asks, and calls show(text) with each part of the answer, of whole characters. The answer ends as soon as `stop` is
  /// true; what it has said until then stays in the conversation. When the context is full, the oldest turns leave it,
  /// also within an answer; a system message stays. Throws UserError, and leaves the conversation as it was, for a
  /// message that the context cannot hold and for a conversation that the template refuses.
  ChatAnswer ask(const std::string& question, const Show& show, const std::atomic<bool>* stop = nullptr);

  const std::vector<Message>& messages() const { return messages_; }  // all, also those that left the context
  /// Another conversation, or another beginning of this one. Throws UserError where the template refuses it.
  void set_messages(std::vector<Message> messages);
  /// What the model is told first; nothing where it is empty.
  void set_system(const std::string& text);
  /// Begins anew, with the same system message.
  void reset();

 private:
  ChatAnswer write_answer(const Show& show, const std::atomic<bool>* stop);
  bool has_system() const { return !messages_.empty() && messages_.front().role == "system"; }
  std::vector<TokenId> encode() const;
  bool forget_oldest();
  std::vector<TokenId> fitting_prompt(std::span<const TokenId> answer);
  void keep_common_prefix(std::span<const TokenId> prompt);

  const ModelView model_;
  ChatTemplate template_;
  ChatSettings settings_;
  Decoder decoder_;
  std::vector<TokenId> read_;  // what the decoder has taken in
  std::vector<Message> messages_;
  size_t first_ = 0;  // of the messages but for the system's: the oldest that is in the context
};

}  // namespace cria
