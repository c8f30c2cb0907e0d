#include "app/serve/served_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "app/serve/api_error.hpp"
#include "chapters/22-serving/schema_constraint.hpp"
#include "lib/base/check.hpp"

namespace cria::serve {

void ServedModel::check_name(const std::string& asked) const {
  if (!asked.empty() && asked != name)
    throw ApiError(404, fmt::format("there is no model {} here, only \"{}\"", in_quotes(asked), name), "model",
                   "model_not_found");
}

std::vector<TokenId> ServedModel::encode(const Prompt& prompt) const {
  if (const auto* ids = std::get_if<std::vector<TokenId>>(&prompt)) return *ids;
  std::vector<TokenId> tokens;
  if (begin) tokens.push_back(*begin);
  try {
    tokenizer->encode(std::get<std::string>(prompt), SpecialText::plain, tokens);
  } catch (const UserError& error) {
    throw ApiError(400, error.what(), "prompt");
  }
  if (tokens.empty()) throw ApiError(400, "prompt is empty, and this model has no token to begin with", "prompt");
  return tokens;
}

std::vector<TokenId> ServedModel::encode(const std::vector<Message>& messages) const {
  if (!chat_template) throw ApiError(400, why_no_template, "messages");
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  std::vector<TokenId> tokens;
  try {
    tokens = chat_template->encode(messages, {true, {}, local}, *tokenizer);
  } catch (const UserError& error) {
    throw ApiError(400, error.what(), "messages");
  }
  if (tokens.empty()) throw ApiError(400, "the chat template makes no text of these messages", "messages");
  return tokens;
}

size_t ServedModel::room(size_t prompt, std::optional<size_t> wanted) const {
  if (prompt >= context)
    throw ApiError(
        400, fmt::format("the prompt has {} tokens, but the context of {} has to hold the answer too", prompt, context),
        "", "context_length_exceeded");
  return std::min(wanted.value_or(context), context - prompt);
}

std::shared_ptr<const TokenConstraint> ServedModel::constraint(const std::optional<ByteGrammar>& format) const {
  return format ? std::make_shared<SchemaConstraint>(trie, *format) : nullptr;
}

}  // namespace cria::serve
