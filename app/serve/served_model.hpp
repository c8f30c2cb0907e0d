// ServedModel: what requests need to know of the model, beside the engine that runs it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/serve/completion_request.hpp"
#include "chapters/09-sampling/token_constraint.hpp"
#include "chapters/12-open-weights/chat_template.hpp"
#include "chapters/22-serving/token_trie.hpp"

namespace cria::serve {

struct ServedModel {
  std::string name;
  std::int64_t created = 0;
  const Tokenizer* tokenizer = nullptr;
  std::optional<TokenId> begin;               // of every text
  std::vector<TokenId> ends;                  // tokens that end a text
  std::optional<ChatTemplate> chat_template;  // none: it cannot be spoken to
  std::string why_no_template;
  std::shared_ptr<const TokenTrie> trie;  // for texts of a given form
  SamplingOptions sampling;               // where a request does not say
  size_t context = 0;                     // tokens of a text, the prompt's included
  size_t vocabulary = 0;                  // of the model

  /// Throws ApiError where a request means another model.
  void check_name(const std::string& asked) const;
  /// The prompt's tokens, with the one that begins a text; token ids stay as they are. Throws ApiError.
  std::vector<TokenId> encode(const Prompt& prompt) const;
  /// Those of a conversation, up to where the answer begins. Throws ApiError, also with the template's own words.
  std::vector<TokenId> encode(const std::vector<Message>& messages) const;
  /// How many tokens may follow a prompt; `wanted`: at most. Throws ApiError where there is room for none.
  size_t room(size_t prompt, std::optional<size_t> wanted) const;
  /// What makes texts have this form; null for none.
  std::shared_ptr<const TokenConstraint> constraint(const std::optional<ByteGrammar>& format) const;
};

}  // namespace cria::serve
