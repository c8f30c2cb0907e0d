// Conversations as token ids, in the model's own chat format or in Alpaca's.
#pragma once

#include "chapters/12-open-weights/chat_template.hpp"
#include "chapters/12-open-weights/packed_model.hpp"
#include "chapters/14-sft/answer_document.hpp"
#include "chapters/14-sft/instruction_data.hpp"

namespace cria {

/// The format that a model is fine-tuned in: its own, or where it brings none `otherwise`, a template's text; Alpaca's
/// if that is empty. `path` is where the model was read from.
ChatTemplateSource instruction_format(const std::filesystem::path& path, const ModelView& model,
                                      const std::string& otherwise = "");

class InstructionEncoder {
 public:
  /// The tokenizer must outlive it; `end` ends an answer where the template does not say. Throws UserError for a
  /// template that cannot be run, and where there is no end.
  InstructionEncoder(ChatTemplateSource source, const Tokenizer& tokenizer, std::optional<TokenId> end);

  /// What the model is shown before it answers.
  std::vector<TokenId> prompt(std::span<const Message> messages) const;

  /// An answer by itself, with the token that ends it.
  std::vector<TokenId> answer(const std::string& text) const;

  /// A conversation that ends with an answer, as a document. Prompt and answer are encoded apart, as they are when the
  /// model is used: a token across the border would never be seen then. The end of the answer counts as one byte.
  Document operator()(std::span<const Message> messages) const;

  const ChatTemplateSource& format() const { return source_; }
  TokenId end_of_turn() const { return end_; }

 private:
  ChatTemplateSource source_;
  ChatTemplate template_;
  const Tokenizer& tokenizer_;
  TokenId end_ = 0;
};

/// In the model's instruction_format. The first of `ends`, if there is one, ends an answer where the template does not
/// say. The model must outlive it.
InstructionEncoder open_encoder(const std::filesystem::path& path, const ModelView& model,
                                std::span<const TokenId> ends, const std::string& otherwise = "");

}  // namespace cria
