#include "app/serve/tokenization.hpp"

#include <fmt/format.h>

#include "app/serve/api_error.hpp"
#include "app/serve/chat_request.hpp"
#include "app/serve/completion_request.hpp"
#include "lib/base/check.hpp"

namespace cria::serve {
namespace {

// The answer to what may be sent is many times as long, the more with pieces.
constexpr size_t longest_content = 1 << 20, longest_in_pieces = 128 << 10, most_ids = 256 << 10;

}  // namespace

std::string tokenized(const Body& body, const ServedModel& model) {
  Fields fields(body.value);
  model.check_name(fields.text("model").value_or(""));
  const bool special = fields.boolean("parse_special").value_or(false);
  const bool adds = fields.boolean("add_special").value_or(false),
             pieces = fields.boolean("with_pieces").value_or(false);
  const nlohmann::json* messages = fields.find("messages");
  const auto check_length = [&](size_t length, const char* key) {
    const size_t most = pieces ? longest_in_pieces : longest_content;
    if (length > most) throw ApiError(400, fmt::format("{} has {} bytes, expected at most {}", key, length, most), key);
  };
  std::vector<TokenId> ids;
  if (messages) {
    check_length(body.text.size(), "messages");
    ids = model.encode(read_messages(*messages));
  } else {
    const std::optional<std::string> content = fields.text("content");
    const std::optional<std::string> prompt = fields.text("prompt");
    if (!content && !prompt) fields.require("content", "a text, or messages");
    check_length((content ? *content : *prompt).size(), content ? "content" : "prompt");
    if (adds && model.begin) ids.push_back(*model.begin);
    try {
      model.tokenizer->encode(content ? *content : *prompt, special ? SpecialText::parse : SpecialText::plain, ids);
    } catch (const UserError& error) {
      throw ApiError(400, error.what(), "content");
    }
  }
  fields.refuse_others();
  std::string tokens;  // as text: as values they would take ten times the memory
  for (const TokenId id : ids) {
    if (!tokens.empty()) tokens += ',';
    tokens += pieces ? dumped({{"id", id}, {"piece", std::string(model.tokenizer->piece(id))}}) : std::to_string(id);
  }
  return fmt::format("{{\"tokens\":[{}],\"count\":{},\"max_model_len\":{}}}\n", tokens, ids.size(), model.context);
}

std::string detokenized(const Body& body, const ServedModel& model) {
  Fields fields(body.value);
  model.check_name(fields.text("model").value_or(""));
  const nlohmann::json& list = fields.require("tokens", "token ids");
  if (list.size() > most_ids) fields.fail("tokens", list, fmt::format("at most {}", most_ids));
  const std::vector<TokenId> ids = read_token_ids(list, "tokens", model.tokenizer->vocabulary_size());
  fields.refuse_others();
  return dumped({{"content", model.tokenizer->decode(ids)}}) + "\n";
}

}  // namespace cria::serve
