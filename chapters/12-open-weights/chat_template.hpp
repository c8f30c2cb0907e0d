// A chat template: what makes one text of the messages of a conversation, and token ids of that text.
//
// Templates are Jinja (lib/jinja), as models bring them. Left out: tools, documents, and contents other than text.
#pragma once

#include <ctime>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "chapters/01-bpe/tokenizer.hpp"
#include "chapters/12-open-weights/chat_message.hpp"
#include "lib/jinja/template.hpp"

namespace cria {

/// A template's text, and the tokens that it is used with.
struct ChatTemplateSource {
  std::string text;
  std::string begin_token, end_token;  ///< what bos_token and eos_token stand for in it
  std::optional<TokenId> begin;        ///< comes first, once, whether or not the template writes it
};

class ChatTemplate {
 public:
  struct Options {
    bool asks = true;                 ///< the text ends where the model's answer begins (add_generation_prompt)
    std::optional<std::string> date;  ///< what the template takes for today (date_string) …
    std::optional<std::tm> now;       ///< … or the time that it may ask for (strftime_now)
  };

  /// Throws UserError naming the line and what in it lib/jinja cannot do.
  explicit ChatTemplate(ChatTemplateSource source);

  const std::string& source() const { return source_.text; }

  /// The conversation as text, special tokens written out. Throws UserError with the template's own words where it
  /// refuses the conversation.
  std::string render(std::span<const Message> messages, const Options& options) const;

  /// The token ids of that text. Special tokens that the template writes are tokens; what stands in a content never is
  /// (hidden_text.hpp). Each part between special tokens is encoded as a text by itself, so that with SentencePiece it
  /// begins with a blank, as Meta's code has it (github.com/meta-llama/llama, generation.py). Where Meta's code begins
  /// one in between, a template of chat_format.hpp writes the variable `cut`.
  std::vector<TokenId> encode(std::span<const Message> messages, const Options& options,
                              const Tokenizer& tokenizer) const;

 private:
  std::string render(std::span<const Message> messages, const Options& options, const std::string& cut) const;

  ChatTemplateSource source_;
  jinja::Template template_;
};

}  // namespace cria
